import { once } from 'node:events'
import { readlinkSync, statSync } from 'node:fs'
import { joinNamespacesStep, makeNamespaces, type NamespaceKind } from '@libcontainer/namespaces'
import { type Step, slot } from '@libcontainer/sys'
import { afterAll, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver, type DriverRun } from '../../sys/test/driver.js'
import { hideMemoryStep } from '../src/steps.js'

const needs = requires('root', 'program:gcc')
const driver = new Driver(['namespaces'])
afterAll(() => driver.close())

const ask: Step = { op: 'driverAsk', args: ['ready'], about: 'ask' }

/** Whose the files in /proc are of a process of an ordinary user that has applied steps. */
async function owner(steps: readonly Step[]): Promise<number> {
  const child = driver.start([...steps, ask], { uid: 4242, gid: 4343 })
  try {
    await once(child.stdout!, 'data')
    return statSync(`/proc/${child.pid}/fd`).uid
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

test('NS-15 a process that hides its memory is root’s to look through, whoever it runs as', needs, async () => {
  expect(await owner([])).toBe(4242)
  expect(await owner([hideMemoryStep()])).toBe(0)
})

test(
  'NS-07 those that stay unjoined are an error that lists them, and nothing is joined when one is of another kind',
  needs,
  async () => {
    const made = await makeNamespaces({ namespaces: ['net', 'uts'] })
    try {
      const numbers = [made.get('net')!.fd, made.get('uts')!.fd]
      const run = {
        slots: { net: 3, uts: 4 },
        stdio: ['pipe', 'pipe', 'pipe', ...numbers],
        argv: ['readlink', '/proc/self/ns/net'],
      } satisfies DriverRun
      const joinOf = (kinds: [NamespaceKind, string][]): Step =>
        joinNamespacesStep(new Map(kinds.map(([kind, name]) => [kind, slot(name)])))
      const join = joinOf([
        ['net', 'net'],
        ['uts', 'uts'],
      ])
      const foreign = await driver.run([join], { ...run, uid: 4242, gid: 4343 })
      expect(foreign.stderr).toMatch(/^0 1 setns left outside: uts, net$/m)

      const twisted = joinOf([
        ['net', 'net'],
        ['ipc', 'uts'],
      ])
      expect((await driver.run([twisted], run)).stderr).toMatch(/^0 22 ioctl\(NS_GET_NSTYPE\) it is a uts namespace$/m)
      const own = readlinkSync('/proc/self/ns/net')
      expect((await driver.run([{ ...twisted, onError: { EINVAL: 'skip' } }], run)).stdout.trim()).toBe(own)
      const joined = (await driver.run([join], run)).stdout.trim()
      expect(joined).toMatch(/^net:/)
      expect(joined).not.toBe(own)
    } finally {
      for (const fd of made.values()) fd.close()
    }
  },
)

test('NS-09 where clone3 is refused, by a filter around this process, the older call does', needs, async () => {
  const forbid: Step = { op: 'driverForbid', args: [435], about: 'forbid clone3' }
  const script = `
    import { enter, unshare } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    const map = [{ containerId: 0, hostId: 100000, size: 1 }]
    const config = { namespaces: ['user', 'pid', 'uts'], uidMappings: map, gidMappings: map }
    const outer = await unshare(config, ['sh', '-c', 'echo $$ $(id -u); read end'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const inner = await enter({ pid: outer.pid, kinds: ['user', 'pid'] }, ['sh', '-c', 'echo $(($$ > 1)) $(id -u)'], { stdio: 'pipe' })
    console.log((await inner.output()).stdout + (await outer.output()).stdout)`
  const argv = [process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = await driver.run([forbid], { argv })
  expect([stdout.trim(), stderr]).toEqual(['1 0\n1 0', ''])
})
