import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { Cgroup, cgroupHost } from '@libcontainer/cgroups'
import { isSystemdRunning, SystemdDriver, type SystemdDriverOptions } from '@libcontainer/cgroups/systemd'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../../test/support/index.js'

/** Each question is a program, and a daemon-reload starts dozens. */
const needs = { ...requires('root', 'file:/run/systemd/system', 'cgroup'), timeout: 60_000 }
/** Who is a user of the machine with a manager of his own. */
const UID = 1000
const manager = `/run/user/${UID}`

let made = 0
const fresh = (): string => `test-${process.pid}-${made++}`

/** A driver, and a name of which nothing is left at the end of the test. */
function prepare(options: SystemdDriverOptions = {}): { driver: SystemdDriver; path: string; unit: string } {
  const driver = new SystemdDriver(options)
  const name = fresh()
  const unit = `lc-${name}.scope`
  onTestFinished(async () => {
    await driver.close()
    const state = systemctl('show', '-P', 'LoadState', unit)
    if (state !== 'not-found') systemctl('stop', unit)
  })
  return { driver, path: `:lc:${name}`, unit }
}

function systemctl(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('systemctl', args, { encoding: 'utf8' })
  if (status !== 0 && args[0] === 'daemon-reload') throw new Error(stderr)
  return stdout.trim()
}

/** Some of what systemd says of a unit. */
const shown = (unit: string, ...names: string[]): Record<string, string> =>
  Object.fromEntries(
    systemctl('show', unit, '-p', names.join(','))
      .split('\n')
      .map(line => line.split('=', 2) as [string, string]),
  )

/** A shell that runs each line that it is told, and says when it is done. */
function shell(): { pid: number; ask: (line: string) => Promise<string>; ended: Promise<unknown> } {
  const child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.on('error', () => {})
  const ask = async (line: string): Promise<string> => {
    child.stdin.write(`(${line}) 2>&1; echo "=$?"\n`)
    let said = ''
    while (!/=\d+\n$/.test(said)) said += String(((await once(child.stdout, 'data')) as [Buffer])[0])
    return said.trim()
  }
  return { pid: child.pid!, ask, ended: once(child, 'exit') }
}

describe('units of systemd', needs, () => {
  test('CG-70 it runs here', async () => {
    expect(await isSystemdRunning()).toBe(true)
    const driver = await SystemdDriver.open()
    expect(await driver.systemd.version()).toBeGreaterThan(200)
    expect(await driver.systemd.controlGroup()).toBe('')
    await driver.close()
  })

  test('CG-73 CG-74 CG-75 CG-76 CG-77 CG-80 a scope with its limits, changed, and stopped', async () => {
    const { driver, path, unit } = prepare()
    const { mode } = await cgroupHost()
    const cgroup = await driver.create(path, {
      memory: { max: 67_108_864 },
      cpu: { shares: 512, quotaUs: 33_333, periodUs: 100_000 },
      pids: { max: 50 },
    })
    const memory = mode === 'v2' ? 'MemoryMax' : 'MemoryLimit'
    const weight = mode === 'v2' ? { CPUWeight: '59' } : { CPUShares: '512' }
    expect(
      shown(unit, memory, 'TasksMax', 'CPUQuotaPerSecUSec', 'Delegate', 'Slice', 'ActiveState', ...Object.keys(weight)),
    ).toEqual({
      ...weight,
      [memory]: '67108864',
      TasksMax: '50',
      CPUQuotaPerSecUSec: '340ms',
      Delegate: 'yes',
      Slice: 'system.slice',
      ActiveState: 'active',
    })
    const { pid, ask } = shell()
    await cgroup.add(pid)
    expect(await cgroup.processes()).toEqual([pid])
    expect(await ask('cat /proc/self/cgroup')).toContain(`/system.slice/${unit}`)
    const file = (controller: string, name: string): string =>
      readFileSync(`${cgroup.paths.get(mode === 'v2' ? '' : controller)}/${name}`, 'utf8').trim()
    expect(file('pids', 'pids.max')).toBe('50')
    if (mode === 'v2') expect(file('cpu', 'cpu.max')).toBe('34000 100000')
    else expect(file('cpu', 'cpu.cfs_quota_us')).toBe('34000')

    await (await driver.open(Object.fromEntries(cgroup.paths))).set({ memory: { max: 50_331_648 }, pids: { max: 60 } })
    expect(shown(unit, memory, 'TasksMax')).toEqual({ [memory]: '50331648', TasksMax: '60' })
    expect(file('memory', mode === 'v2' ? 'memory.max' : 'memory.limit_in_bytes')).toBe('50331648')
    systemctl('daemon-reload')
    expect(file('memory', mode === 'v2' ? 'memory.max' : 'memory.limit_in_bytes')).toBe('50331648')
    expect(file('pids', 'pids.max')).toBe('60')

    await expect(driver.create(path)).rejects.toMatchObject({ code: 'EEXIST' })
    await cgroup.freeze()
    await cgroup.kill()
    await cgroup.destroy()
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })
    expect([...cgroup.paths.values()].filter(existsSync)).toEqual([])
  })

  test('CG-78 device rules hold, and a daemon-reload loses none of them', needs, async () => {
    const { driver, path } = prepare()
    const rule = (minor: number) => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' }) as const
    const devices = [{ allow: false, type: 'a' }, rule(3)] as const
    const cgroup = await driver.create(path, { devices })
    const { pid, ask } = shell()
    await cgroup.add(pid)
    const tries = async (): Promise<string[]> => [
      await ask('head -c 1 /dev/null'),
      (await ask('head -c 1 /dev/zero >/tmp/zero')).replace(/^.*: /s, ''),
    ]
    const expected = ['=0', 'Operation not permitted\n=1']
    expect(await tries()).toEqual(expected)
    systemctl('daemon-reload')
    expect(await tries()).toEqual(expected)
    await cgroup.set({ devices: [...devices, rule(5)] })
    expect(await tries()).toEqual(['=0', '=0'])
    systemctl('daemon-reload')
    expect(await tries()).toEqual(['=0', '=0'])
    await cgroup.set({ devices: [{ allow: true, type: 'a' }] })
    expect(await tries()).toEqual(['=0', '=0'])
    await cgroup.kill()
    await cgroup.destroy()
  })

  test('CG-82 stopping ends the processes; a scope that has ended is gone already', async () => {
    const { driver, path, unit } = prepare()
    const cgroup = await driver.create(path)
    const { pid, ended } = shell()
    await cgroup.add(pid)
    await cgroup.destroy()
    await ended
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })

    const second = await driver.create(path)
    await second.settled()
    await expect.poll(() => shown(unit, 'LoadState'), { timeout: 5000 }).toEqual({ LoadState: 'not-found' })
    await second.destroy()
  })

  test('CG-82 one that is frozen before its first process is there is ended all the same', async () => {
    const { driver, path, unit } = prepare()
    const first = await driver.create(path)
    await first.freeze()
    await first.destroy()
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })

    const second = await driver.create(path)
    await second.freeze()
    await second.kill()
    await second.destroy()
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })
  })

  test('CG-71 CG-73 two at once, by one driver', async () => {
    const { driver, path } = prepare()
    const both = await Promise.all([driver.create(path), driver.create(`${path}-too`)])
    for (const cgroup of both) {
      expect(await cgroup.processes()).toHaveLength(1)
      await cgroup.destroy()
    }
    expect(both.flatMap(({ paths }) => [...paths.values()]).filter(existsSync)).toEqual([])
  })

  test('CG-73 one that has failed before gives its name back', async () => {
    const { driver, path, unit } = prepare()
    // A scope that takes too long has failed.
    spawnSync('systemd-run', ['--scope', `--unit=${unit}`, '-p', 'RuntimeMaxSec=1', 'sleep', '60'])
    expect(shown(unit, 'ActiveState')).toEqual({ ActiveState: 'failed' })
    const cgroup = await driver.create(path)
    expect(shown(unit, 'ActiveState')).toEqual({ ActiveState: 'active' })
    await cgroup.destroy()
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })
  })

  test('CG-72 a slice, and a scope in it', async () => {
    const { driver } = prepare()
    const slice = `lctest${process.pid}-pod.slice`
    const pod = await driver.create(`::${slice}`, { pids: { max: 40 } })
    expect(shown(slice, 'TasksMax', 'ActiveState')).toEqual({ TasksMax: '40', ActiveState: 'active' })
    const inner = await driver.create(`${slice}:lc:${fresh()}`)
    expect([...inner.paths.values()][0]).toContain(`/lctest${process.pid}.slice/${slice}/lc-`)
    await pod.set({ pids: { max: 41 } })
    expect(shown(slice, 'TasksMax')).toEqual({ TasksMax: '41' })
    await inner.destroy()
    await pod.destroy()
    expect([...pod.paths.values()].filter(existsSync)).toEqual([])
    systemctl('stop', `lctest${process.pid}.slice`)
  })

  test('CG-71 without a bus: over systemd’s own socket', async () => {
    const { driver, path, unit } = prepare({ sockets: [{ path: '/run/systemd/private', bus: false }] })
    const cgroup = await driver.create(path, { pids: { max: 9 } })
    expect(shown(unit, 'TasksMax')).toEqual({ TasksMax: '9' })
    await cgroup.destroy()
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })
  })

  test('CG-71 CG-74 what systemd refuses has its own word', async () => {
    const { driver, path } = prepare({ properties: [{ name: 'NoSuchProperty', type: 's', value: 'x' }] })
    await expect(driver.create(path)).rejects.toMatchObject({
      code: 'org.freedesktop.DBus.Error.PropertyReadOnly',
      member: 'StartTransientUnit',
    })
  })

  test('CG-18 a limit that the kernel refuses leaves no unit', async () => {
    const { driver, path, unit } = prepare()
    await expect(driver.create(path, { cpuset: { cpus: '999' } })).rejects.toMatchObject({ code: expect.any(String) })
    expect(shown(unit, 'LoadState')).toEqual({ LoadState: 'not-found' })
  })

  test('CG-71 EV-143 an ordinary user: by his own manager, on v2', async () => {
    systemctl('start', `user@${UID}.service`)
    expect(existsSync(`${manager}/bus`)).toBe(true)
    const { mode } = await cgroupHost()
    const text = `
      import { SystemdDriver } from ${JSON.stringify(import.meta.resolve('@libcontainer/cgroups/systemd'))}
      import { spawn } from 'node:child_process'
      try {
        const driver = await SystemdDriver.open({ user: true })
        const child = spawn('sleep', ['60'])
        // systemd moves it: from a cgroup of the system's the user himself may not.
        const pids = [child.pid]
        const cgroup = await driver.create(':lc:rootless', { pids: { max: 12 }, memory: { max: 33554432 } }, { pids })
        const told = { path: [...cgroup.paths.values()][0], count: (await cgroup.processes()).length }
        await cgroup.set({ pids: { max: 13 } })
        await cgroup.destroy()
        console.log(JSON.stringify(told))
      } catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })) }`
    const user = ['--reuid', String(UID), '--regid', String(UID), '--init-groups']
    const { stdout, stderr } = spawnSync('setpriv', [...user, process.execPath, '--input-type=module', '-e', text], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: manager, HOME: '/tmp' },
    })
    expect(stderr).toBe('')
    const told = JSON.parse(stdout)
    if (mode === 'v2') {
      const below = `/user.slice/user-${UID}.slice/user@${UID}.service/user.slice/lc-rootless.scope`
      expect(told).toEqual({ path: expect.stringContaining(below), count: 1 })
    } else expect(told).toMatchObject({ code: 'LimitUnsupported' })
  })

  test('the cgroups of both drivers stand beside each other', async () => {
    const { driver, path } = prepare()
    const own = await Cgroup.create(`/lc-${fresh()}`)
    const cgroup = await driver.create(path)
    expect(await driver.open(Object.fromEntries(own.paths))).toBeInstanceOf(Cgroup)
    await own.destroy()
    await cgroup.destroy()
  })
})
