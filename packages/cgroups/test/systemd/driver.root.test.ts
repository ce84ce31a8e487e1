import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Cgroup, cgroupHost } from '@libcontainer/cgroups'
import { SystemdDriver } from '@libcontainer/cgroups/systemd'
import { confirmAbsentStep, type Step } from '@libcontainer/sys'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../../test/support/index.js'
import { Driver } from '../../../sys/test/driver.js'
import { hostOf } from '../support.js'
import { FakeSystemd } from './fake-systemd.js'

const needs = requires('root', 'cgroup')
const CLOSE_RANGE = 436

/** The directories of a unit, in whatever hierarchy. */
async function directories(systemd: FakeSystemd, path: string): Promise<string[]> {
  const { hierarchies } = await cgroupHost()
  return hierarchies.map(({ mountpoint }) => `${mountpoint}${systemd.controlGroup}${path}`).filter(existsSync)
}

/** The processes that this one has made and that do nothing. */
const placeholders = (): string[] =>
  readdirSync('/proc').filter(name => {
    try {
      const [, , parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, 'x ')
        .split(' ')
        .slice(0, 3)
      return Number(parent) === process.pid && readFileSync(`/proc/${name}/wchan`, 'utf8').includes('pipe')
    } catch {
      return false
    }
  })

function sleeper(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child.pid!
}

const file = (cgroup: { paths: ReadonlyMap<string, string> }, controller: string, name: string): string =>
  readFileSync(`${cgroup.paths.get(controller) ?? cgroup.paths.get('')}/${name}`, 'utf8').trim()

describe('with a stand-in for systemd that makes real cgroups', needs, () => {
  test('CG-73 CG-74 CG-80 a scope: made by systemd, with its limits in both', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    const limits = { pids: { max: 5 }, cpu: { quotaUs: 33_333, periodUs: 100_000 } }
    const cgroup = await driver.create('a.slice:lc:one', limits)
    expect(systemd.asked).toEqual(['Get Version', 'Get ControlGroup', 'Subscribe', 'StartTransientUnit lc-one.scope'])
    const [told] = systemd.told
    expect(told).toMatchObject({ Slice: 'a.slice', Delegate: true, DefaultDependencies: false, TasksMax: 5n })
    expect(told!.CPUQuotaPerSecUSec).toBe(340_000n)

    // A process that does nothing keeps it until the first one is there, and takes none of the room.
    const [placeholder] = told!.PIDs as number[]
    expect(await cgroup.processes()).toEqual([placeholder])
    expect(file(cgroup, 'pids', 'pids.max')).toBe('6')
    expect(file(cgroup, 'cpu', 'cpu.cfs_quota_us')).toBe('34000')
    const pid = sleeper()
    await cgroup.add(pid)
    expect(await cgroup.processes()).toEqual([pid])
    expect(existsSync(`/proc/${placeholder}`)).toBe(false)
    expect(file(cgroup, 'pids', 'pids.max')).toBe('5')
    await cgroup.settled()

    const again = await driver.open(Object.fromEntries(cgroup.paths))
    await again.set({ pids: { max: 7 } })
    expect(systemd.acts.at(-1)).toBe('SetUnitProperties lc-one.scope')
    expect(systemd.told[1]).toEqual({ TasksMax: 7n })
    expect(file(cgroup, 'pids', 'pids.max')).toBe('7')

    await again.destroy()
    expect(systemd.acts.slice(-2)).toEqual(['StopUnit lc-one.scope', 'ResetFailedUnit lc-one.scope'])
    expect(await directories(systemd, '/a.slice/lc-one.scope')).toEqual([])
    // Once more is fine.
    await again.destroy()
  })

  test('CG-72 a slice has no processes of its own, and may be there', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    const cgroup = await driver.create('::lc-pod.slice', { pids: { max: 9 } })
    expect(systemd.told[0]).toMatchObject({ Wants: ['lc.slice'], TasksMax: 9n })
    expect(systemd.told[0]).not.toHaveProperty('PIDs')
    expect(await cgroup.processes()).toEqual([])
    expect(file(cgroup, 'pids', 'pids.max')).toBe('9')
    await driver.create('::lc-pod.slice', { pids: { max: 8 } }, { existing: true })
    expect(systemd.told.at(-1)).toEqual({ TasksMax: 8n })
    expect(file(cgroup, 'pids', 'pids.max')).toBe('8')
    await expect(driver.create('::lc-pod.slice')).rejects.toMatchObject({ code: 'EEXIST', path: 'lc-pod.slice' })
    await cgroup.destroy()
  })

  test('CG-73 a unit that has failed before gives its name back', async () => {
    const systemd = await FakeSystemd.start()
    let reset = false
    systemd.instead = ({ member }, answer) => {
      if (member === 'ResetFailedUnit') {
        reset = true
        answer.return()
        return true
      }
      if (member !== 'StartTransientUnit' || reset) return false
      answer.error('org.freedesktop.systemd1.UnitExists', 'Unit lc-two.scope already exists.')
      return true
    }
    const cgroup = await systemd.driver().create(':lc:two')
    expect(systemd.acts).toEqual([
      'StartTransientUnit lc-two.scope',
      'ResetFailedUnit lc-two.scope',
      'StartTransientUnit lc-two.scope',
    ])
    await cgroup.kill()
    await cgroup.destroy()
  })

  test('CG-73 one that runs is EEXIST, and stays as it is', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    const first = await driver.create(':lc:three')
    const before = await first.processes()
    await expect(driver.create(':lc:three')).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await first.processes()).toEqual(before)
    expect(placeholders()).toHaveLength(1)
    await first.destroy()
    expect(placeholders()).toEqual([])
  })

  test('CG-73 a job that fails: the error says so, and nothing is left', async () => {
    const systemd = await FakeSystemd.start()
    systemd.result = 'failed'
    await expect(systemd.driver().create(':lc:four')).rejects.toMatchObject({
      code: 'UnitFailed',
      message: /lc-four\.scope.*'failed'/,
      hint: 'journalctl -u lc-four.scope tells why',
    })
    expect(systemd.acts).toContain('ResetFailedUnit lc-four.scope')
    expect(placeholders()).toEqual([])
  })

  test('CG-73 the end of a job may be told before the job', async () => {
    const systemd = await FakeSystemd.start()
    systemd.early = true
    const cgroup = await systemd.driver().create(':lc:five')
    await cgroup.destroy()
    expect(systemd.units.size).toBe(0)
  })

  test('LR-12 EV-143 systemd that does not answer, or whose job never ends: ETIMEDOUT, and nothing is left', async () => {
    const silent = await FakeSystemd.start()
    silent.instead = () => true
    await expect(silent.driver({ timeoutMs: 100 }).create(':lc:six')).rejects.toMatchObject({ code: 'ETIMEDOUT' })

    const endless = await FakeSystemd.start()
    endless.instead = ({ member }, answer) => {
      if (member !== 'StartTransientUnit') return false
      answer.return('o', ['/org/freedesktop/systemd1/job/7'])
      return true
    }
    await expect(endless.driver({ timeoutMs: 300 }).create(':lc:seven')).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: /^StartTransientUnit:/,
    })
    // It may come up after all.
    expect(endless.acts).toContain('StopUnit lc-seven.scope')
    expect(placeholders()).toEqual([])

    const stop = new AbortController()
    const asked = await FakeSystemd.start()
    asked.instead = ({ member }) => {
      if (member === 'StartTransientUnit') stop.abort(new Error('enough'))
      return member === 'StartTransientUnit'
    }
    await expect(asked.driver().create(':lc:eight', {}, { signal: stop.signal })).rejects.toThrow('enough')
    expect(placeholders()).toEqual([])
  })

  test('EV-143 nobody to ask: the error names where was looked', async () => {
    const driver = new SystemdDriver({
      sockets: [
        { path: '/absent/bus', bus: true },
        { path: '/absent/private', bus: false },
      ],
    })
    await expect(driver.create(':lc:nine')).rejects.toMatchObject({
      code: 'NotFound',
      message: /\/absent\/bus \(ENOENT\), \/absent\/private \(ENOENT\)/,
    })
  })

  test('CG-76 a limit that systemd does not know by name is left to the cgroup', async () => {
    const systemd = await FakeSystemd.start()
    systemd.instead = ({ member, body }, answer) => {
      const names = member === 'StartTransientUnit' ? (body[2] as [string][]).map(([name]) => name) : []
      if (!names.includes('TasksMax')) return false
      answer.error('org.freedesktop.DBus.Error.PropertyReadOnly', 'Cannot set property TasksMax, or unknown property.')
      return true
    }
    const cgroup = await systemd.driver().create(':lc:ten', { pids: { max: 3 } })
    await cgroup.settled()
    await cgroup.destroy()
    expect(systemd.told[0]).not.toHaveProperty('TasksMax')

    systemd.instead = ({ member }, answer) => {
      if (member !== 'StartTransientUnit') return false
      answer.error('org.freedesktop.DBus.Error.PropertyReadOnly', 'Cannot set property Delegate, or unknown property.')
      return true
    }
    await expect(systemd.driver().create(':lc:ten')).rejects.toMatchObject({
      code: 'org.freedesktop.DBus.Error.PropertyReadOnly',
    })
  })

  test('CG-18 a limit that is refused takes the unit back; steps before it, and what cannot be, touch nothing', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    await expect(driver.create(':lc:a', { cpuset: { cpus: '9999' } })).rejects.toMatchObject({ name: 'SyscallError' })
    expect(systemd.acts).toContain('StopUnit lc-a.scope')
    expect(await directories(systemd, '/system.slice/lc-a.scope')).toEqual([])
    expect(placeholders()).toEqual([])

    systemd.asked.length = 0
    const before = [confirmAbsentStep('/proc/self/stat')]
    await expect(driver.create(':lc:b', {}, { before })).rejects.toMatchObject({
      code: 'EEXIST',
      path: '/proc/self/stat',
    })
    await expect(driver.create(':lc:b', { pids: { max: -1 } })).rejects.toMatchObject({ code: 'ConfigInvalid' })
    for (const sub of ['x'.repeat(300), 'line\nend'])
      await expect(driver.create(`:lc:b/${sub}`)).rejects.toMatchObject({
        code: 'ConfigInvalid',
        field: 'cgroups.path',
      })
    await expect(driver.create('lc:b', {})).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'cgroups.path' })
    expect(systemd.acts).toEqual([])
    expect(placeholders()).toEqual([])
  })

  test('CG-71 a connection that was lost while it idled is made again', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    const cgroup = await driver.create(':lc:c')
    for (const socket of systemd.bus.connections) socket.destroy()
    await cgroup.set({ pids: { max: 4 } })
    expect(systemd.bus.connections).toHaveLength(2)
    // Another name on the bus, as after `systemctl daemon-reexec`.
    systemd.bus.owner = ':1.2'
    await cgroup.destroy()
    expect(await directories(systemd, '/system.slice/lc-c.scope')).toEqual([])
  })

  test('CG-79 CG-82 nobody sees the devices of v1 while they are changed; what is frozen is thawed to be stopped', async () => {
    const systemd = await FakeSystemd.start()
    const cgroup = await systemd.driver().create(':lc:d')
    await cgroup.add(sleeper())
    const states: string[] = []
    systemd.instead = async ({ member }) => {
      states.push(`${member} ${await cgroup.freezerState()}`)
      return false
    }
    const rule = { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' } as const
    await cgroup.set({ devices: [{ allow: false, type: 'a' }, rule] })
    expect(states).toEqual(['SetUnitProperties FROZEN'])
    expect(await cgroup.freezerState()).toBe('THAWED')
    expect(file(cgroup, 'devices', 'devices.list')).toBe('c 1:3 rwm')
    expect(systemd.told.at(-1)).toEqual({ DevicePolicy: 'strict', DeviceAllow: [['/dev/char/1:3', 'rwm']] })
    await cgroup.set({ devices: [{ allow: true, type: 'a' }] })
    await cgroup.set({ pids: { max: 3 } })
    expect(states.slice(1)).toEqual(['SetUnitProperties THAWED', 'SetUnitProperties THAWED'])
    await cgroup.freeze()
    states.length = 0
    await cgroup.destroy()
    expect(states[0]).toBe('StopUnit THAWED')
  })

  test.each(['kill', 'destroy'] as const)('CG-82 what is frozen before its first process is there: %s', async act => {
    const systemd = await FakeSystemd.start()
    const cgroup = await systemd.driver().create(':lc:h')
    await cgroup.freeze()
    await cgroup[act]()
    expect(placeholders()).toEqual([])
    await cgroup.destroy()
    expect(await directories(systemd, '/system.slice/lc-h.scope')).toEqual([])
  })

  test('CG-80 the first process may come into what is frozen', async () => {
    const systemd = await FakeSystemd.start()
    const cgroup = await systemd.driver().create(':lc:i', { pids: { max: 4 } })
    await cgroup.freeze()
    const pid = sleeper()
    await cgroup.add(pid)
    expect(await cgroup.processes()).toEqual([pid])
    expect(await cgroup.freezerState()).toBe('FROZEN')
    expect(file(cgroup, 'pids', 'pids.max')).toBe('4')
    await cgroup.destroy()
  })

  test('CG-80 v1 holds what it has frozen: that is said, and once it is thawed it goes on', {
    timeout: 20_000,
  }, async () => {
    const systemd = await FakeSystemd.start()
    const cgroup = await systemd.driver({ host: await hostOf('v1') }).create(':lc:j', { pids: { max: 4 } })
    await cgroup.freeze()
    const pid = sleeper()
    await expect(cgroup.add(pid)).rejects.toMatchObject({ code: 'ETIMEDOUT', hint: /thaw/ })
    await cgroup.thaw()
    await cgroup.settled()
    expect(await cgroup.processes()).toEqual([pid])
    expect(file(cgroup, 'pids', 'pids.max')).toBe('4')
    await cgroup.kill()
    await cgroup.destroy()
  })

  test('EV-143 an ordinary user has units on v2 alone, and tells nobody of devices', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver({ user: true, host: await hostOf('v2') })
    const cgroup = await driver.create(':lc:e', { devices: [{ allow: false, type: 'a' }], memory: undefined })
    expect(systemd.told[0]).not.toHaveProperty('DevicePolicy')
    expect(systemd.told[0]).toMatchObject({ Slice: 'user.slice', IOAccounting: true })
    await cgroup.destroy()
  })

  test('CG-83 a scope whose processes live in a cgroup below it', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver()
    const cgroup = await driver.create(':lc:g/container', { pids: { max: 4 } })
    const pid = sleeper()
    await cgroup.add(pid)
    expect(await cgroup.processes()).toEqual([pid])
    for (const path of cgroup.paths.values()) expect(path).toMatch(/\/lc-g\.scope\/container$/)
    const limit = (): string =>
      readFileSync(`${cgroup.paths.get('pids') ?? cgroup.paths.get('')}/../pids.max`, 'utf8').trim()
    expect(limit()).toBe('4')
    const saved = await driver.open(Object.fromEntries(cgroup.paths))
    await saved.set({ pids: { max: 3 } })
    expect(limit()).toBe('3')
    expect(systemd.acts.at(-1)).toBe('SetUnitProperties lc-g.scope')
    expect((await saved.stats(['pids'])).pids).toMatchObject({ current: 1 })
    await saved.kill()
    await saved.destroy()
    expect(await directories(systemd, '/system.slice/lc-g.scope')).toEqual([])
  })

  test('the cgroup of another driver is taken as it is', async () => {
    const systemd = await FakeSystemd.start()
    const path = `${systemd.controlGroup}/plain`
    const plain = await Cgroup.create(path)
    const paths = Object.fromEntries(plain.paths)
    expect(await systemd.driver().open(paths)).toBeInstanceOf(Cgroup)
    await (await systemd.driver().at(paths)).destroy()
    expect(await plain.exists()).toBe(false)
    expect(systemd.asked).toEqual([])
  })

  test('CG-74 properties of the caller come last, and a process of his own needs no other', async () => {
    const systemd = await FakeSystemd.start()
    const driver = systemd.driver({ properties: [{ name: 'TimeoutStopUSec', type: 't', value: 1n }] })
    const pid = sleeper()
    const cgroup = await driver.create(':lc:f', {}, { pids: [pid] })
    expect(systemd.told[0]!.PIDs).toEqual([pid])
    expect(Object.keys(systemd.told[0]!).at(-1)).toBe('TimeoutStopUSec')
    expect(await cgroup.processes()).toEqual([pid])
    expect(placeholders()).toEqual([])
    await cgroup.destroy()
  })

  test('a scope that is begun by a program ends with it', async () => {
    const url = new URL('../../dist/systemd/placeholder.js', import.meta.url)
    const program = `import { Placeholder } from ${JSON.stringify(url.href)}
      console.log((await Placeholder.start()).pid)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    // It has nothing open but what tells it of the end.
    expect(readdirSync(`/proc/${pid}/fd`)).toEqual(['0'])
    child.kill('SIGKILL')
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5000 }).toBe(false)
  })
  test('and where close_range is refused: nothing that it has open keeps it', requires('program:gcc'), async () => {
    const url = new URL('../../dist/systemd/placeholder.js', import.meta.url)
    const program = `import { Placeholder } from ${JSON.stringify(url.href)}
      console.log((await Placeholder.start()).pid)`
    const driver = new Driver(['sys'])
    onTestFinished(() => driver.close())
    const forbid: Step = { op: 'driverForbid', args: [CLOSE_RANGE], about: 'forbid close_range' }
    // What it prints ends when nobody has it open any more.
    const { stdout, code } = await driver.run([forbid], {
      argv: [process.execPath, '--input-type=module', '-e', program],
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    expect(code).toBe(0)
    await expect.poll(() => existsSync(`/proc/${Number(stdout)}`), { timeout: 5000 }).toBe(false)
  })
})
