import { attributes, GenericNetlink, string, u16 } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { ownNetns } from './support.js'

const needs = requires('root', 'namespace:net')
const table = attributes({ id: [1, u16], name: [2, string] })
const CTRL_CMD_GETFAMILY = 3

async function open(): Promise<GenericNetlink> {
  const generic = await GenericNetlink.open({ namespace: await ownNetns() })
  onTestFinished(() => generic.close())
  return generic
}

test('NL-24 families by name: what the kernel says of them, and one that it does not have', needs, async () => {
  const generic = await open()
  const { info } = await generic.family('nlctrl')
  expect(info).toMatchObject({ name: 'nlctrl', id: 16, headerSize: 0 })
  expect(info.operations.map(({ id }) => id)).toContain(CTRL_CMD_GETFAMILY)
  expect([...info.groups.keys()]).toEqual(['notify'])
  expect((await generic.families()).map(({ name }) => name)).toContain('nlctrl')
  expect(await generic.family('nlctrl')).toBe(await generic.family('nlctrl'))
  await expect(generic.family('lc_none')).rejects.toMatchObject({ code: 'ENOENT', path: 'lc_none' })
  await expect(generic.family('')).rejects.toMatchObject({ field: 'family' })
  await expect(generic.family('a name that is too long')).rejects.toMatchObject({ field: 'family' })
})

test('NL-24 commands and dumps of a family over a table of one’s own', needs, async () => {
  const generic = await open()
  const control = await generic.family('nlctrl')
  const answer = await control.request({ command: CTRL_CMD_GETFAMILY, table, values: { name: 'nlctrl' } })
  expect(answer?.values).toMatchObject({ id: 16, name: 'nlctrl' })
  expect(answer?.values.unknown?.length).toBeGreaterThan(0)
  const all = await control.list({ command: CTRL_CMD_GETFAMILY, table })
  expect(all.map(({ values }) => values.name)).toContain('nlctrl')
  await expect(control.request({ command: 200, table, about: 'ask for nothing' })).rejects.toThrow(
    /^ask for nothing: EOPNOTSUPP/,
  )
})

test('NL-24 groups by name: one that the family does not have is refused with those that it has', needs, async () => {
  const control = await (await open()).family('nlctrl')
  const monitor = await control.monitor(['notify'], table)
  monitor.close()
  await expect(control.monitor(['lies'], table)).rejects.toMatchObject({ field: 'groups[0]' })
})
