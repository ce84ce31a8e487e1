import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type ContainerConfig, hookPoints, overview, plan } from '@libcontainer/container'
import type { Profile } from '@libcontainer/seccomp'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, shellCommand, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, finished, inside, ownRootfs, sleeper } from './support.js'

const needs = requires('root')

const env = ['PATH=/usr/bin:/bin']

/** What a hook notes of where it is: its namespaces, its root and the state that it got. */
const note = (file: string): Command =>
  shellCommand(
    `{ cat; echo; for n in mnt pid uts ipc net; do readlink /proc/self/ns/$n; done; [ -e /proc/1/cmdline ] && echo proc; pwd; } > ${file}`,
    { env },
  )

interface Noted {
  readonly state: { readonly status: string; readonly pid: number; readonly id: string }
  readonly namespaces: readonly string[]
}

function noted(file: string): Noted {
  const [state, ...lines] = readFileSync(file, 'utf8').split('\n')
  return { state: JSON.parse(state!), namespaces: lines.slice(0, 5) }
}

const own = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`)

describe('the six points', () => {
  test(
    'HK-01 HK-02 HK-03 HK-04 HK-09 each has its moment: in their order, and in the order of each list',
    needs,
    async () => {
      await using bench = await Bench.open('points')
      using rootfs = ownRootfs()
      using dir = temporaryDirectory('hooks-')
      const log = join(dir.path, 'log')
      writeFileSync(join(rootfs.path, 'log'), '')
      const hooks = Object.fromEntries(
        hookPoints.map(point => {
          const to = point === 'startContainer' ? '/log' : log
          return [point, [1, 2].map(i => shellCommand(`echo ${point} ${i} >> ${to}`, { env }))]
        }),
      )
      const container = await bench.create({ rootfs: rootfs.path, hooks, readonlyRootfs: false })
      const lines = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n').filter(Boolean)
      const both = (...points: string[]): string[] => points.flatMap(point => [`${point} 1`, `${point} 2`])
      await container.start({ args: ['/bin/sh', '-c', 'echo program >> /log; exec sleep 100'] })
      expect(lines(log)).toEqual(both('prestart', 'createRuntime', 'createContainer'))
      expect(lines(join(rootfs.path, 'log'))).toEqual([])
      await container.exec()
      await expect.poll(() => lines(join(rootfs.path, 'log'))).toEqual([...both('startContainer'), 'program'])
      expect(lines(log).slice(6)).toEqual(both('poststart'))
      await container.destroy({ force: true })
      expect(lines(log).slice(8)).toEqual(both('poststop'))
    },
  )

  test(
    'HK-01 HK-02 on the host, with the pid that the host sees, when all mounts are there and the root is its own',
    needs,
    async () => {
      await using bench = await Bench.open('host')
      using dir = temporaryDirectory('hooks-')
      const at = (name: string) => join(dir.path, name)
      // The state is saved, so that whoever is killed now leaves a container that can be removed; limits are set; the mounts stand.
      const look = shellCommand(
        `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/root; grep -c " $ROOT/proc " /proc/$pid/mountinfo; ` +
          `cat /proc/$pid/cgroup | grep -c libcontainer-; ls $STATE`,
        { env: [...env, `ROOT=${busyboxRootfs()}`, `STATE=${bench.factory.root}`] },
      )
      const id = bench.id()
      const hooks = {
        prestart: [note(at('prestart'))],
        createRuntime: [
          note(at('runtime')),
          { ...look, args: ['sh', '-c', `{ ${look.args![2]}/${id}; } > ${at('look')} 2>&1`] },
        ],
      }
      const container = await bench.create({ hooks }, id)
      const child = await container.start(sleeper)
      for (const name of ['prestart', 'runtime']) {
        const { state, namespaces } = noted(at(name))
        expect(state).toMatchObject({ ociVersion: '1.3.0', id, status: 'creating', pid: child.pid })
        expect(namespaces).toEqual(['mnt', 'pid', 'uts', 'ipc', 'net'].map(own))
      }
      const [root, procs, cgroups, ...files] = readFileSync(at('look'), 'utf8').trim().split('\n')
      expect([root, procs]).toEqual(['/', '1'])
      expect(Number(cgroups)).toBeGreaterThan(0)
      expect(files).toContain('state.json')
    },
  )

  test(
    'HK-03 createContainer: in its namespaces, with the paths of the host, before the root is changed',
    needs,
    async () => {
      await using bench = await Bench.open('inside')
      using dir = temporaryDirectory('hooks-')
      const file = join(dir.path, 'noted')
      const mounts = join(dir.path, 'mounts')
      const container = await bench.create({
        labels: ['bundle=/b', 'odd="pid":0 \\ ü'],
        hooks: {
          createContainer: [
            note(file),
            shellCommand(`grep ' ${busyboxRootfs()}/' /proc/self/mountinfo > ${mounts}`, { env }),
          ],
        },
      })
      const child = await container.start(sleeper)
      const { state, namespaces } = noted(file)
      expect(state).toEqual({
        ociVersion: '1.3.0',
        id: container.id,
        status: 'creating',
        pid: 1,
        bundle: '/b',
        annotations: { odd: '"pid":0 \\ ü' },
      })
      const theirs = ['mnt', 'pid', 'uts', 'ipc', 'net'].map(kind => readlinkSync(`/proc/${child.pid}/ns/${kind}`))
      // /proc is the host's still, which shows pids of its own namespace: the links of /proc/self are the hook's all the same.
      expect(namespaces.filter(Boolean)).toEqual(theirs.slice(0, namespaces.filter(Boolean).length))
      expect(readFileSync(mounts, 'utf8')).toContain(`${busyboxRootfs()}/dev`)
      expect(theirs[0]).not.toBe(own('mnt'))
    },
  )

  test(
    'HK-04 startContainer: in the container as its user, its environment the program’s unless it says one',
    needs,
    async () => {
      await using bench = await Bench.open('before')
      using rootfs = ownRootfs()
      mkdirSync(join(rootfs.path, 'out'), { mode: 0o777 })
      const save = (name: string, more: Partial<Command> = {}): Command =>
        shellCommand(`{ cat; echo; id -u; id -g; pwd; env; } > /out/${name}`, more)
      chmodSync(join(rootfs.path, 'out'), 0o777)
      const container = await bench.create({
        rootfs: rootfs.path,
        hooks: {
          startContainer: [save('own'), save('given', { env: ['ONLY=this', 'PATH=/bin'] }), save('none', { env: [] })],
        },
      })
      const user = { uid: 1234, gid: 567 }
      const child = await container.start({ ...sleeper, user, env: ['A=b c', 'PATH=/bin'], cwd: '/etc' })
      expect(existsSync(join(rootfs.path, 'out/own'))).toBe(false)
      expect(await container.status()).toBe('created')
      await container.exec()
      const read = (name: string): string[] =>
        readFileSync(join(rootfs.path, 'out', name), 'utf8')
          .trim()
          .split('\n')
      const [state, uid, gid, cwd, ...ownEnv] = read('own')
      expect(JSON.parse(state!)).toMatchObject({ id: container.id, status: 'created', pid: 1 })
      expect([uid, gid, cwd]).toEqual(['1234', '567', '/etc'])
      const said = (lines: string[]): string[] => lines.filter(line => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)).sort()
      expect(said(ownEnv)).toEqual(['A=b c', 'HOME=/', 'PATH=/bin'])
      expect(said(read('given').slice(4))).toEqual(['ONLY=this', 'PATH=/bin'])
      // The shell has a PATH of its own.
      expect(said(read('none').slice(4)).filter(line => !line.startsWith('PATH='))).toEqual([])
      expect(child.pid).toBeGreaterThan(0)
    },
  )

  test.each([true, false])(
    'HK-04 SC-12 startContainer: with the filter and the capabilities of the program, noNewPrivileges: %j',
    needs,
    async noNewPrivileges => {
      await using bench = await Bench.open('filtered')
      using rootfs = ownRootfs()
      mkdirSync(join(rootfs.path, 'out'))
      const show = (name: string) => `grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/self/status > /out/${name}`
      const seccomp: Profile = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
      }
      const config: Partial<ContainerConfig> = {
        rootfs: rootfs.path,
        noNewPrivileges,
        seccomp,
        capabilities: ['CAP_CHOWN', 'CAP_KILL'],
        hooks: {
          createContainer: [shellCommand(`grep '^Seccomp:' /proc/self/status > ${rootfs.path}/out/before`, { env })],
          startContainer: [shellCommand(`${show('hook')}; mkdir /made 2> /out/refused; true`)],
        },
      }
      const container = await bench.create(config)
      await (await container.run({ args: ['/bin/sh', '-c', show('program')] })).wait()
      const read = (name: string): string => readFileSync(join(rootfs.path, 'out', name), 'utf8')
      expect(read('before')).toMatch(/^Seccomp:\t0$/m)
      expect(read('hook')).toMatch(/^Seccomp:\t2$/m)
      expect(read('hook')).toMatch(/^CapPrm:\t0*21$/m)
      expect(read('hook')).toBe(read('program'))
      expect(read('refused')).toMatch(/not supported/)
      expect(existsSync(join(rootfs.path, 'made'))).toBe(false)
      // Without a filter there is none for them.
      const open = await bench.create({ ...config, seccomp: null })
      await (await open.run({ args: ['/bin/true'] })).wait()
      expect(read('hook')).toMatch(/^Seccomp:\t0$/m)
      // One that refuses the hook's own exec.
      const none = await bench.create({
        ...config,
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO' }] },
      })
      await expect(none.run({ args: ['/bin/true'] })).rejects.toThrow(/hook startContainer\[0\] failed: EPERM.*execve/)
    },
  )

  test('HK-04 the hooks of a container without `created`, too, and none of its descriptors', needs, async () => {
    await using bench = await Bench.open('at-once')
    using rootfs = ownRootfs()
    const container = await bench.create({
      rootfs: rootfs.path,
      hooks: {
        startContainer: [shellCommand('ls /proc/self/fd > /fds', { env })],
        createContainer: [shellCommand('exit 0')],
      },
    })
    await (await container.run({ args: ['/bin/true'] })).wait()
    // 3 is the directory that ls reads.
    expect(readFileSync(join(rootfs.path, 'fds'), 'utf8').trim().split('\n')).toEqual(['0', '1', '2', '3'])
  })

  test('HK-01 no hooks cost nothing: the plan asks nobody and has no further step', needs, async () => {
    const config: ContainerConfig = { rootfs: busyboxRootfs() }
    const without = await plan('x', config, sleeper)
    const empty = await plan(
      'x',
      { ...config, hooks: { prestart: [], startContainer: [], poststop: [shellCommand('')] } },
      sleeper,
    )
    expect(empty.steps).toEqual(without.steps)
    const all = await plan(
      'x',
      { ...config, hooks: Object.fromEntries(hookPoints.map(p => [p, [shellCommand('')]])) },
      sleeper,
    )
    const order = all.steps
      .map(({ about }) => about)
      .filter(about => /hook|root of the container|program is next|^mount proc/.test(about))
    expect(order.map(about => about.replace(/: \/bin\/sh$/, ''))).toEqual([
      expect.stringContaining('mount proc'),
      'wait until the hooks of the host have run',
      'run the hook createContainer[0]',
      ...order.slice(3, -2),
      'run the hook startContainer[0]',
      'report that the program is next',
    ])
  })
})

test(
  'HK-02 a hook of the host may enter the container’s namespaces, as engines do to set its network up',
  needs,
  async () => {
    await using bench = await Bench.open('enter')
    const enter = shellCommand(
      `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); nsenter --net=/proc/$pid/ns/net ip addr add 10.9.8.7/32 dev lo`,
      { env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
    )
    const container = await bench.create({ hooks: { createRuntime: [enter] } })
    const { stdout } = await finished(
      await container.run({ args: ['/bin/cat', '/proc/net/fib_trie'], stdio: ['null', 'pipe', 'pipe'] }),
    )
    expect(stdout).toContain('10.9.8.7')
  },
)

test(
  'ST-01 ST-02 HK-01 HK-04 while hooks run it is `creating`, then `created`, whoever looks and how',
  needs,
  async () => {
    await using bench = await Bench.open('looking')
    using dir = temporaryDirectory('hooks-')
    const pause = (name: string): Command =>
      shellCommand(`echo > ${dir.path}/${name}; while [ ! -e ${dir.path}/go-${name} ]; do sleep 0.02; done`, { env })
    const container = await bench.create({
      hooks: { createRuntime: [pause('a')], createContainer: [pause('b')], poststart: [pause('c')] },
    })
    const look = async (): Promise<unknown[]> => {
      const found = await bench.factory.load(container.id)
      const [listed] = await overview(bench.factory.root)
      return [await found.status(), (await found.ociState()).status, listed?.status]
    }
    const seen: unknown[] = []
    const started = container.start(sleeper)
    for (const name of ['a', 'b']) {
      await expect.poll(() => existsSync(join(dir.path, name))).toBe(true)
      seen.push(...(await look()))
      writeFileSync(join(dir.path, `go-${name}`), '')
    }
    expect(seen).toEqual(Array(6).fill('creating'))
    await started
    expect(await look()).toEqual(Array(3).fill('created'))
    const executed = container.exec()
    await expect.poll(() => existsSync(join(dir.path, 'c'))).toBe(true)
    expect(await look()).toEqual(Array(3).fill('running'))
    writeFileSync(join(dir.path, 'go-c'), '')
    await executed
  },
)

test('HK-01 HK-03 HK-04 with a user namespace, with a shared pid namespace, and with a joined one', needs, async () => {
  await using bench = await Bench.open('kinds')
  using rootfs = ownRootfs()
  using dir = temporaryDirectory('hooks-')
  chmodSync(dir.path, 0o777)
  const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
  const other = await bench.create()
  const { pid } = await other.run(sleeper)
  const kinds: Record<string, Partial<ContainerConfig>> = {
    user: { namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'], uidMappings: map, gidMappings: map },
    shared: { namespaces: ['mnt', 'ipc', 'uts', 'net'] },
    joined: { namespaces: ['mnt', { kind: 'pid', path: `/proc/${pid}/ns/pid` }, 'ipc', 'uts', 'net'] },
  }
  for (const [kind, config] of Object.entries(kinds)) {
    const at = (name: string) => join(dir.path, `${kind}-${name}`)
    const save = (name: string): Command => shellCommand(`cat > ${at(name)}; id -u >> ${at(name)}`, { env })
    const container = await bench.create({
      ...config,
      rootfs: rootfs.path,
      hooks: {
        prestart: [save('prestart')],
        createContainer: [save('createContainer')],
        startContainer: [shellCommand('read -r state; [ "$state" ] && exit 0')],
      },
    })
    const child = await container.start(sleeper)
    await container.exec()
    const saved = (name: string): { pid: number; uid: string } => {
      const text = readFileSync(at(name), 'utf8')
      const end = text.lastIndexOf('}') + 1
      return { pid: JSON.parse(text.slice(0, end)).pid, uid: text.slice(end).trim() }
    }
    expect(saved('prestart'), kind).toEqual({ pid: child.pid, uid: '0' })
    const inner = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/^NSpid:.*?(\d+)$/m)![1]
    expect(saved('createContainer'), kind).toEqual({ pid: Number(inner), uid: '0' })
    await container.destroy({ force: true })
  }
})

test(
  'HK-03 createContainer in the pid namespace of another container: it does not reach the hook without CAP_SYS_PTRACE',
  needs,
  async () => {
    await using bench = await Bench.open('reached')
    using dir = temporaryDirectory('hooks-')
    const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
    const own = { namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'], uidMappings: map, gidMappings: map } as const
    for (const [i, config] of [{}, own].entries()) {
      const { container: other, init } = await bench.running(config)
      const ready = join(dir.path, `ready-${i}`)
      chmodSync(dir.path, 0o777)
      const joined = (['user', 'pid'] as const)
        .filter(kind => kind === 'pid' || config === own)
        .map(kind => ({ kind, path: `/proc/${init.pid}/ns/${kind}` }))
      const container = await bench.create({
        namespaces: ['mnt', 'ipc', 'uts', 'net', ...joined],
        hooks: { createContainer: [shellCommand(`echo > ${ready}; exec sleep 5001`, { env })] },
      })
      const starting = container.start(sleeper)
      starting.catch(() => {})
      await expect.poll(() => existsSync(ready)).toBe(true)
      const look = `for p in /proc/[0-9]*; do grep -q '500[1]' $p/cmdline || continue
        ls $p/root/ && echo root; readlink $p/fd/0 && echo fd; cat $p/environ && echo environ; echo found; done 2> /dev/null`
      await expect.poll(() => inside(other, look)).toBe('found')
      await container.destroy({ force: true })
      await expect(starting).rejects.toThrow()
    }
  },
)
