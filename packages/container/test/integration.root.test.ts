import { readFileSync, readlinkSync } from 'node:fs'
import { cgroupHost, sharesFromWeight } from '@libcontainer/cgroups'
import { relay } from '@libcontainer/console'
import type { ContainerConfig, NamespaceRequest } from '@libcontainer/container'
import { neverWait, pipe, readFd } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bench, finished, hostIds, inside, ownRootfs, sh, sleeper } from './support.js'

const needs = requires('root')
const userns = {
  namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
  uidMappings: hostIds,
  gidMappings: hostIds,
} satisfies Partial<ContainerConfig>
const both = [{}, userns] as const
const withIpc = (ipc?: NamespaceRequest): Partial<ContainerConfig> => ({
  namespaces: ['mnt', 'pid', 'uts', 'net', ...(ipc === undefined ? [] : [ipc])],
})

// What libcontainer's own integration tests of 2015 look at, by tests of our own making.

describe('a container', () => {
  test('TS-01 ps sees its own processes alone, the first as 1', needs, async () => {
    await using bench = await Bench.open('ps')
    for (const config of both) {
      const lines = (await bench.text('ps -o pid,args', config)).split('\n').slice(1)
      expect(lines.length).toBeLessThanOrEqual(2)
      expect(lines[0]).toMatch(/^\s*1 /)
    }
  })

  test('TS-01 IPC: private, the host’s, joined, and a path that is none', needs, async () => {
    await using bench = await Bench.open('ipc')
    const own = readlinkSync('/proc/self/ns/ipc')
    expect(await bench.text('readlink /proc/self/ns/ipc', withIpc('ipc'))).not.toBe(own)
    expect(await bench.text('readlink /proc/self/ns/ipc', withIpc())).toBe(own)
    const holder = await bench.create(withIpc('ipc'))
    const { pid } = await holder.run(sleeper)
    const path = `/proc/${pid}/ns/ipc`
    expect(await bench.text('readlink /proc/self/ns/ipc', withIpc({ kind: 'ipc', path }))).toBe(readlinkSync(path))
    await expect(bench.create(withIpc({ kind: 'ipc', path: '/proc/1/ns/absent' }))).rejects.toMatchObject({
      code: 'ConfigInvalid',
    })
  })

  test('TS-01 limits of the config are those of its processes', needs, async () => {
    await using bench = await Bench.open('rlimits')
    for (const config of both) {
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1025, hard: 1025 }] as const
      expect(await bench.text('ulimit -n; ulimit -H -n', { ...config, rlimits })).toBe('1025\n1025')
    }
  })

  test('TS-01 entered twice: one container, its processes beside each other', needs, async () => {
    await using bench = await Bench.open('twice')
    const { container, init: first } = await bench.running()
    const second = await container.exec(sleeper)
    expect((await container.processes()).sort()).toEqual([first.pid, second.pid].sort())
    expect(readlinkSync(`/proc/${second.pid}/ns/pid`)).toBe(readlinkSync(`/proc/${first.pid}/ns/pid`))
    expect(await inside(container, 'ps | grep -c "sleep 100[0]"')).toBe('2')
  })

  test('TS-01 the environment is what is given, and HOME', needs, async () => {
    await using bench = await Bench.open('env')
    const env = ['PATH=/bin', 'HOSTNAME=integration', 'CONSOLE=/dev/pts/0', 'container=test']
    const text = await bench.text('env | sort', {}, { env })
    expect(text.split('\n').filter(line => !/^(SHLVL|PWD|_)=/.test(line))).toEqual([...env, 'HOME=/root'].sort())
  })

  test('TS-01 a process has the capabilities that it is given, and no others', needs, async () => {
    await using bench = await Bench.open('capabilities')
    const capabilities = ['CAP_NET_ADMIN', 'CAP_CHOWN']
    const text = await bench.text('grep -E "Cap(Prm|Eff|Bnd)" /proc/self/status', {}, { capabilities })
    for (const line of text.split('\n')) expect(BigInt(`0x${line.split(/\s+/)[1]}`)).toBe((1n << 12n) | 1n)
  })

  test('TS-01 additional groups, by number and by name', needs, async () => {
    await using bench = await Bench.open('groups')
    const text = await bench.text('id -G', {}, { additionalGroups: [3333, 'audio'] })
    expect(text.split(' ')).toEqual(expect.arrayContaining(['0', '3333']))
    expect(text.split(' ')).toHaveLength(3)
  })

  test('TS-01 frozen and thawed: nothing runs meanwhile, and it goes on', needs, async () => {
    await using bench = await Bench.open('freeze')
    const container = await bench.create()
    const child = await container.run(sh('while read line; do echo "$line"; done', { stdio: 'pipe' }))
    await container.pause()
    expect(await container.status()).toBe('paused')
    child.stdin!.write('hello\n')
    const next = child.stdout![Symbol.asyncIterator]().next()
    expect(await Promise.race([next, new Promise(resolve => setTimeout(resolve, 150, 'nothing'))])).toBe('nothing')
    await container.resume()
    expect(String((await next).value)).toBe('hello\n')
    child.stdin!.end()
    expect(await child.wait()).toMatchObject({ code: 0 })
  })

  test('TS-01 a weight of the processor', needs, async () => {
    await using bench = await Bench.open('shares')
    const { container } = await bench.running({ cgroups: { cpu: { weight: 200 } } })
    const { cgroup_paths: paths } = await container.state()
    const { mode } = await cgroupHost()
    const file = mode === 'v2' ? `${paths['']}/cpu.weight` : `${paths.cpu}/cpu.shares`
    const value = Number(readFileSync(file, 'utf8'))
    if (mode === 'v2') expect(value).toBe(200)
    else expect([2048, sharesFromWeight(200)]).toContain(value)
  })

  test('TS-01 ST-14 the paths of the state are there, and lead to its cgroups and namespaces', needs, async () => {
    await using bench = await Bench.open('paths')
    const container = await bench.create()
    const { pid } = await container.run(sleeper)
    const { cgroup_paths, namespace_paths, init_process_pid } = await container.state()
    expect(init_process_pid).toBe(pid)
    for (const path of Object.values(cgroup_paths)) {
      expect(readFileSync(`${path}/cgroup.procs`, 'utf8').split('\n')).toContain(String(pid))
    }
    for (const path of Object.values(namespace_paths)) expect(readlinkSync(path!)).toMatch(/^\w+:\[\d+\]$/)
  })

  test('TS-01 sysctl of its own namespaces', needs, async () => {
    await using bench = await Bench.open('sysctl')
    const sysctl = { 'kernel.shmmni': '8192', 'net.ipv4.ip_forward': '1' }
    expect(await bench.text('cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_forward', { sysctl })).toBe('8192\n1')
  })

  test('TS-01 a seccomp profile without chown', needs, async () => {
    await using bench = await Bench.open('chown')
    const names = ['chown', 'fchown', 'lchown', 'fchownat']
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
    } as unknown as NonNullable<ContainerConfig['seccomp']>
    const { code, stderr } = await bench.run('chown 1:1 /etc', { seccomp })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Operation not permitted')])
  })
})

describe('a further process', () => {
  test('TS-01 sees the first, in the same namespaces, also in a user namespace', needs, async () => {
    await using bench = await Bench.open('in')
    for (const config of both) {
      const { container } = await bench.running(config)
      expect(await inside(container, 'ps')).toContain('sleep 1000')
      await container.destroy({ force: true })
    }
  })

  test('TS-01 has limits of its own', needs, async () => {
    await using bench = await Bench.open('in-limits')
    for (const config of both) {
      const { container } = await bench.running({
        ...config,
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1025, hard: 1025 }],
      })
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1026, hard: 1026 }] as const
      expect(await inside(container, 'ulimit -n', { rlimits })).toBe('1026')
      expect(await inside(container, 'ulimit -n')).toBe('1025')
      await container.destroy({ force: true })
    }
  })

  test('TS-01 a program that is not there is an error with its name, and the container lives on', needs, async () => {
    await using bench = await Bench.open('in-error')
    const { container } = await bench.running()
    for (let i = 0; i < 5; i++) {
      await expect(container.exec({ args: ['unexistent'] })).rejects.toMatchObject({
        code: 'SystemError',
        message: expect.stringContaining('unexistent'),
      })
    }
    expect(await container.status()).toBe('running')
    expect(await container.processes()).toHaveLength(1)
  })

  test('TS-01 has a terminal of its own', needs, async () => {
    await using bench = await Bench.open('in-tty')
    const { container } = await bench.running()
    const child = await container.exec(sh('ps; tty', { terminal: true }))
    const { read: from, write } = pipe()
    await relay(child.terminal!, { output: write.fd })
    neverWait(from.fd)
    const buffer = new Uint8Array(65536)
    const text = Buffer.from(buffer.subarray(0, await readFd(from.fd, buffer))).toString()
    expect(text).toContain('sleep 1000')
    expect(text).toContain('/dev/pts/0')
    for (const fd of [from, write, child.terminal!]) fd.close()
  })

  test('TS-01 has an environment of its own', needs, async () => {
    await using bench = await Bench.open('in-env')
    const container = await bench.create()
    await container.run({ ...sleeper, env: ['PATH=/bin', 'SECRET=1'] })
    const env = ['PATH=/bin', 'DEBUG=true', 'DEBUG=false', 'ENV=test']
    const lines = (await inside(container, 'env', { env })).split('\n')
    expect(lines).toEqual(expect.arrayContaining(['DEBUG=false', 'ENV=test', 'HOME=/root']))
    expect(lines.filter(line => /SECRET|DEBUG=true/.test(line))).toEqual([])
  })

  test('TS-01 PR-05 has the files that it is given, from 3 on, as the first has', needs, async () => {
    await using bench = await Bench.open('in-files')
    using rootfs = ownRootfs()
    const container = await bench.create({ rootfs: rootfs.path })
    for (const first of [true, false]) {
      const [one, two] = [pipe(), pipe()]
      const extraFds = [one.write, two.write]
      const { code } = await finished(
        await container.run(
          sh('cd /proc/self/fd; echo -n 1 >&3; echo -n 2 >&4; [ ! -e 5 ]', { extraFds, stdio: 'pipe' }),
        ),
      )
      expect(code).toBe(0)
      const buffer = new Uint8Array(8)
      expect([await readFd(one.read.fd, buffer), buffer[0], await readFd(two.read.fd, buffer), buffer[0]]).toEqual([
        1, 49, 1, 50,
      ])
      for (const fd of [one.read, one.write, two.read, two.write]) fd.close()
      if (first) await container.run(sleeper)
    }
  })
})

describe('what a container tells', () => {
  test('CO-07 TS-02 stats: what its cgroup counts', needs, async () => {
    await using bench = await Bench.open('stats')
    const container = await bench.create({ cgroups: { memory: { max: 64 << 20 }, pids: { max: 20 } } })
    await expect(container.stats()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await container.run(sh('i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000 & wait'))
    await expect.poll(async () => (await container.stats()).cgroups.pids?.current).toBe(2)
    const { cgroups } = await container.stats()
    expect(cgroups.memory).toMatchObject({ max: 64 << 20, current: expect.any(Number) })
    expect(cgroups.memory!.current).toBeGreaterThan(0)
    expect(cgroups.pids).toMatchObject({ max: 20 })
  })

  test('PR-12 the first process is the one that is started first; a second first is refused', needs, async () => {
    await using bench = await Bench.open('first')
    const container = await bench.create()
    const first = await container.start(sleeper)
    await expect(container.start(sleeper)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
    await container.exec()
    const further = await container.run(sleeper)
    expect((await container.state()).init_process_pid).toBe(first.pid)
    further.signal('KILL')
    await further.wait()
    expect(await container.status()).toBe('running')
  })
})
