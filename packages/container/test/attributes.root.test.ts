import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupHost } from '@libcontainer/cgroups'
import { Factory } from '@libcontainer/container'
import type { Profile } from '@libcontainer/seccomp'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory, until } from '../../../test/support/index.js'
import { Bench, elsewhere, sleeper } from './support.js'

const needs = requires('root')
const onV1 = requires('root', 'cgroup1')

/** What the kernel says of the policy of a process's first mapping, where no other is set. */
const policyOf = (pid: number): string =>
  /^\S+ (.*?) (?:file|anon|heap|stack|mapped|active)\b/.exec(readFileSync(`/proc/${pid}/numa_maps`, 'utf8'))![1]!

describe('memory policy', () => {
  test('PP-20 seven modes and three flags, of the container or of a process', needs, async () => {
    await using bench = await Bench.open('mempolicy')
    const { container: one, init: first } = await bench.running({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' } })
    expect(policyOf(first.pid)).toBe('bind:0')
    const further = await one.exec(sleeper)
    expect(policyOf(further.pid)).toBe('bind:0')
    for (const [memoryPolicy, shown] of [
      [{ mode: 'MPOL_DEFAULT' }, /^default$/],
      [{ mode: 'MPOL_PREFERRED', nodes: '0' }, /^prefer:0$/],
      [{ mode: 'MPOL_PREFERRED' }, /^(local|prefer:?)$/],
      [{ mode: 'MPOL_LOCAL' }, /^local$/],
      [{ mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] }, /^interleave=static:0$/],
      [{ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_RELATIVE_NODES'] }, /^bind=relative:0$/],
      [{ mode: 'MPOL_BIND', nodes: ' 0,, ', flags: ['MPOL_F_NUMA_BALANCING'] }, /^bind=balancing:0$/],
      [{ mode: 'MPOL_PREFERRED_MANY', nodes: '0' }, /^prefer \(many\):0$/],
      [{ mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0' }, /^weighted interleave:0$/],
    ] as const) {
      const child = await one.exec({ ...sleeper, memoryPolicy })
      expect(policyOf(child.pid), JSON.stringify(memoryPolicy)).toMatch(shown)
      child.signal('KILL')
      await child.wait()
    }
  })

  test('EV-110 a node that is not there is the kernel’s refusal, with the reason', needs, async () => {
    await using bench = await Bench.open('mempolicy-node')
    await expect(
      bench.run({ args: ['true'], memoryPolicy: { mode: 'MPOL_BIND', nodes: '1023' } }),
    ).rejects.toMatchObject({ syscall: 'set_mempolicy', errno: -22, hint: expect.stringContaining('cpuset') })
  })
})

describe('session keyring', () => {
  /** The serial and the name of the session keyring of a process, as that process is told. */
  const keyrings = (): string => readFileSync('/proc/keys', 'utf8')
  const named = (name: string): string[] =>
    keyrings()
      .split('\n')
      .filter(line => line.includes(` ${name}:`))
      .map(line => line.split(' ')[0]!)

  test(
    'IN-09 IN-10 KY-01 KY-02 KY-04 LR-09 a keyring of the container’s own, which further processes join, and without a word none',
    needs,
    async () => {
      await using bench = await Bench.open('keyring')
      const { container: one, init: first } = await bench.running({ sessionKeyring: true })
      const name = `_ses.${one.id}`
      // Whoever has it sees it; nobody else does, and here that is root by the permission to view.
      expect(named(name)).toHaveLength(1)
      const usage = (): number =>
        Number(
          keyrings()
            .split('\n')
            .find(line => line.includes(` ${name}:`))!
            .split(/\s+/)[2],
        )
      const before = usage()
      const further = await one.exec(sleeper)
      expect(named(name)).toHaveLength(1)
      expect(usage()).toBeGreaterThan(before)
      const perm = keyrings()
        .split('\n')
        .find(line => line.includes(` ${name}:`))!
        .split(/\s+/)[4]
      expect(perm).toBe('3f1b0000')
      for (const child of [further, first]) {
        child.signal('KILL')
        await child.wait()
      }
      // Who was the last to have it has ended, and the kernel notices.
      await until('the end of the keyring', () => named(name).length === 0)
      await bench.running({ sessionKeyring: 'mine' })
      expect(named('mine')).toHaveLength(1)
      const { container: three } = await bench.running()
      expect(named(`_ses.${three.id}`)).toHaveLength(0)
    },
  )

  test('IN-09 KY-02 in a user namespace it is its root’s', needs, async () => {
    await using bench = await Bench.open('keyring-user')
    const maps = [{ containerId: 0, hostId: 100_000, size: 1000 }]
    const { container: one } = await bench.running({
      sessionKeyring: true,
      namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'],
      uidMappings: maps,
      gidMappings: maps,
    })
    await one.exec(sleeper)
    // By its owner, whom it counts against: /proc/key-users.
    expect(readFileSync('/proc/key-users', 'utf8')).toMatch(/^\s*100000:/m)
  })
})

describe('groups', () => {
  test('XT-05 keepGroups: the groups of this process stay, whatever is asked for', needs, async () => {
    using directory = temporaryDirectory('keep-groups-')
    const groups = await elsewhere(
      `
        process.setgroups([4242, 4243])
        const [root, id, rootfs] = args
        const user = { user: { uid: 1000, gid: 1000 }, additionalGroups: [7, 8] }
        const spec = { args: ['/bin/sh', '-c', 'grep ^Groups /proc/self/status'], stdio: ['null', 'pipe', 'inherit'], ...user }
        const text = async child => {
          let said = ''
          for await (const chunk of child.stdout) said += chunk
          await child.wait()
          return said.replace(/^Groups:/, '').trim()
        }
        const factory = await Factory.open(root)
        const found = []
        for (const keepGroups of [false, true]) {
          const container = await factory.create(id, { rootfs, keepGroups })
          try {
            found.push(await text(await container.run(spec)))
            await container.run({ args: ['/bin/sleep', '1000'] })
            found.push(await text(await container.exec(spec)))
          } finally {
            await container.destroy({ force: true })
          }
        }
        return found
      `,
      `${directory.path}/state`,
      `keep-groups-${process.pid}`,
      busyboxRootfs(),
    )
    expect(groups).toEqual(['7 8', '7 8', '4242 4243', '4242 4243'])
  })
})

describe('paused', () => {
  test(
    'EV-119 a further process in a paused container: refused, or it stands still until that is resumed',
    needs,
    async () => {
      await using bench = await Bench.open('ignore-paused')
      const { container: one } = await bench.running()
      await one.pause()
      const spec = { args: ['/bin/true'] }
      await expect(one.exec(spec)).rejects.toMatchObject({ code: 'ContainerPaused' })
      let there = false
      const child = one.exec({ ...spec, ignorePaused: true }).then(process => {
        there = true
        return process
      })
      await expect.poll(async () => (await one.processes()).length).toBe(2)
      await sleep(50)
      expect(there).toBe(false)
      await one.resume()
      expect(await (await child).wait()).toMatchObject({ code: 0 })
      // With nothing to ignore it changes nothing.
      expect(await (await one.exec({ ...spec, ignorePaused: true })).wait()).toMatchObject({ code: 0 })
    },
  )

  test('EV-119 a paused container that is removed takes the waiting process along', needs, async () => {
    await using bench = await Bench.open('ignore-paused-removed')
    const { container: one } = await bench.running()
    await one.pause()
    const failed = one.exec({ args: ['/bin/true'], ignorePaused: true }).catch((error: unknown) => error)
    await expect.poll(async () => (await one.processes()).length).toBe(2)
    await one.destroy({ force: true })
    expect(await failed).toMatchObject({ code: 'ContainerNotRunning' })
  })
})

describe('cgroups of further processes', () => {
  const unifiedOf = (pid: number): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))![1]!

  test('IN-19 PR-11 where the container’s cgroup takes no processes any more, that of its first', needs, async () => {
    const { mode, hierarchies } = await cgroupHost()
    const controller = hierarchies.find(({ version }) => version === 2)?.controllers[0]
    if (mode === 'v1' || controller === undefined) return
    await using bench = await Bench.open('moved')
    const { container: one, init: first } = await bench.running({ cgroups: { path: `/moved-${process.pid}` } })
    const directory = (await one.state()).cgroup_paths['']!
    const inner = `${directory}/inner`
    const top = hierarchies.find(({ version }) => version === 2)!.mountpoint
    const before = readFileSync(`${top}/cgroup.subtree_control`, 'utf8')
    try {
      if (!before.includes(controller)) writeFileSync(`${top}/cgroup.subtree_control`, `+${controller}`)
      mkdirSync(inner)
      writeFileSync(`${inner}/cgroup.procs`, String(first.pid))
      writeFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`)
      const further = await one.exec(sleeper)
      expect(unifiedOf(further.pid)).toBe(unifiedOf(first.pid))
      expect(unifiedOf(further.pid)).toMatch(/\/inner$/)
      // One that was asked for is not exchanged for another.
      mkdirSync(`${directory}/other/leaf`, { recursive: true })
      writeFileSync(`${directory}/other/cgroup.subtree_control`, `+${controller}`)
      await expect(one.exec({ ...sleeper, subCgroupPaths: { '': 'other' } })).rejects.toMatchObject({
        code: 'SystemError',
        syscall: 'clone3',
        errno: -16,
      })
    } finally {
      await one.destroy({ force: true })
      if (!before.includes(controller)) writeFileSync(`${top}/cgroup.subtree_control`, `-${controller}`)
    }
  })

  test('IN-19 where somebody has moved the first process and removed the cgroup', needs, async () => {
    const { hierarchies } = await cgroupHost()
    await using bench = await Bench.open('removed')
    const { container: one, init: first } = await bench.running()
    const { cgroup_paths: paths } = await one.state()
    const elsewhere = new Map(hierarchies.map(each => [`${each.mountpoint}/elsewhere-${process.pid}`, each]))
    try {
      for (const directory of elsewhere.keys()) {
        mkdirSync(directory)
        for (const file of ['cpuset.cpus', 'cpuset.mems'] as const) {
          if (directory.includes('cpuset'))
            writeFileSync(`${directory}/${file}`, readFileSync(`${directory}/../${file}`, 'utf8'))
        }
        writeFileSync(`${directory}/cgroup.procs`, String(first.pid))
      }
      for (const directory of new Set(Object.values(paths))) rmdirSync(directory)
      const further = await one.exec(sleeper)
      expect(readFileSync(`/proc/${further.pid}/cgroup`, 'utf8')).toBe(
        readFileSync(`/proc/${first.pid}/cgroup`, 'utf8'),
      )
      await expect(one.exec({ ...sleeper, subCgroupPaths: { pids: 'sub' } })).rejects.toMatchObject({
        code: 'ContainerNotRunning',
      })
      for (const child of [further, first]) {
        child.signal('KILL')
        await child.wait()
      }
    } finally {
      for (const directory of elsewhere.keys()) rmdirSync(directory)
    }
  })

  test('IN-18 a further process that fails while the kernel kills for want of memory is told so', onV1, async () => {
    await using bench = await Bench.open('exec-oom')
    const { container: one } = await bench.running({ cgroups: { memory: { max: 16 * 1024 * 1024 } } })
    await expect(one.exec({ args: ['/absent'] })).rejects.toMatchObject({ syscall: 'execve', errno: -2 })
    await one.pause()
    const failing = one.exec({ args: ['/absent'], ignorePaused: true })
    failing.catch(() => {})
    await expect.poll(async () => (await one.processes()).length).toBe(2)
    const memory = (await one.state()).cgroup_paths.memory!
    const hog = spawnSync('sh', [
      '-c',
      `echo $$ > ${memory}/cgroup.procs; x=$(head -c 100000000 /dev/zero | tr "\\0" x)`,
    ])
    expect(hog.status).not.toBe(0)
    await one.resume()
    await expect(failing).rejects.toMatchObject({
      code: 'SystemError',
      message: expect.stringContaining('possibly OOM-killed'),
      hint: expect.stringContaining('memory.max'),
      cause: expect.objectContaining({ code: 'SystemError', message: expect.stringContaining('ENOENT') }),
    })
  })
})

test(
  'SC-09 logLevel: from 5 on the factory’s log is told of system calls that no architecture has',
  needs,
  async () => {
    using directory = temporaryDirectory('left-out-')
    const told: string[] = []
    const factory = await Factory.open(`${directory.path}/state`, {
      log: (level, message) => told.push(`${level} ${message}`),
    })
    const seccomp: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'no_such_call'], action: 'SCMP_ACT_ERRNO' }],
    }
    const line = '5 seccomp: no_such_call is left out, no architecture has such a system call'
    for (const logLevel of [4, 5]) {
      const container = await factory.create(`left-out-${process.pid}`, { rootfs: busyboxRootfs(), seccomp })
      try {
        expect((await (await container.run({ args: ['/bin/true'], logLevel })).wait()).code).toBe(0)
        expect(told.includes(line)).toBe(logLevel === 5)
      } finally {
        await container.destroy({ force: true })
      }
    }
  },
)

test('PR-13 logLevel: from 5 on the factory’s log is told of every step and its time', needs, async () => {
  using directory = temporaryDirectory('log-level-')
  const told: [number, string][] = []
  const factory = await Factory.open(`${directory.path}/state`, {
    log: (level, message) => void told.push([level, message]),
  })
  const container = await factory.create(`log-level-${process.pid}`, { rootfs: busyboxRootfs(), hostname: 'told' })
  try {
    const first = await container.run({ ...sleeper, logLevel: 5 })
    expect(told.length).toBeGreaterThan(10)
    expect(told.every(([level]) => level === 5)).toBe(true)
    expect(told.map(([, message]) => message)).toContainEqual(
      expect.stringMatching(new RegExp(`^process ${first.pid}, step \\d+: set the hostname to told: \\d+ µs$`)),
    )
    // Who did not ask for times of its own has none.
    expect(first.timings).toEqual([])
    const before = told.length
    for (const logLevel of [undefined, 0, 4]) await (await container.exec({ args: ['/bin/true'], logLevel })).wait()
    expect(told).toHaveLength(before)
    await (await container.exec({ args: ['/bin/true'], logLevel: 6 })).wait()
    expect(told.length).toBeGreaterThan(before)
    for (const logLevel of [-1, 7, 1.5, 'debug'])
      await expect(container.exec({ args: ['/bin/true'], logLevel: logLevel as never })).rejects.toMatchObject({
        field: 'process.logLevel',
      })
  } finally {
    await container.destroy({ force: true })
  }
})
