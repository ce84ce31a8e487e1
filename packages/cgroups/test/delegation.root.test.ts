import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupHost, findDelegation } from '@libcontainer/cgroups'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OrdinaryUser, requires } from '../../../test/support/index.js'

const needs = requires('root', 'cgroup2', 'rootfs')
let user: OrdinaryUser
let lent: string

beforeAll(async () => {
  if (needs.skip) return
  user = new OrdinaryUser()
  const { mountpoint } = (await cgroupHost()).hierarchies.find(({ version }) => version === 2)!
  lent = join(mountpoint, `libcontainer-lent-${process.pid}`)
  mkdirSync(join(lent, 'session'), { recursive: true })
  for (const part of ['', 'session']) {
    for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']) {
      chownSync(join(lent, part, file), user.uid, user.uid)
    }
  }
})
afterAll(() => {
  if (needs.skip) return
  for (const name of readdirSync(lent, { withFileTypes: true }))
    if (name.isDirectory()) rmdirSync(join(lent, name.name))
  rmdirSync(lent)
  user[Symbol.dispose]()
})

const look = (): string => `
import { Cgroup, findDelegation } from '${user.module('@libcontainer/cgroups')}'
const found = await findDelegation()
let made = null
if (found) {
  const group = await Cgroup.create(found.path + '/made', {}, { host: found.host })
  made = [...group.paths]
  await group.destroy()
}
console.log(JSON.stringify({ found: found ?? null, made }))
`

test('EV-159 who is in no cgroup of its own has no delegation', needs, () => {
  expect(user.evaluate(look())).toEqual({ found: null, made: null })
})

test('EV-159 below a cgroup that was handed over, others are made beside the own one', needs, () => {
  const { found, made } = user.evaluate<{ found: { path: string; host: object }; made: string[][] }>(look(), {
    cgroup: join(lent, 'session'),
  })
  expect(found).toMatchObject({ path: lent.slice(lent.lastIndexOf('/')), host: { mode: 'v2' } })
  const controllers = readFileSync(join(lent, 'cgroup.controllers'), 'utf8').trim()
  expect((found.host as { hierarchies: { controllers: string[] }[] }).hierarchies).toMatchObject([
    { controllers: controllers === '' ? [] : controllers.split(' ') },
  ])
  expect(made).toEqual([['', join(lent, 'made')]])
})

test('root needs no delegation to find its own', needs, async () => {
  const found = await findDelegation()
  expect(found?.path ?? '/').toMatch(/^\//)
})
