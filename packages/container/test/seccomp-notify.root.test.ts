import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig } from '@libcontainer/container'
import { compile, type Decision, NotifyAgent, nativeArch, type Profile } from '@libcontainer/seccomp'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Answering } from '../../seccomp/test/answering.js'
import { Bench, finished, hostIds, ownRootfs, sleeper } from './support.js'

const needs = requires('root')

/** Tells of mkdir, by the call that a libc makes of it. */
const profileFor = (listenerPath: string, change: Partial<Profile> = {}): Profile => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath,
  listenerMetadata: 'made for a test',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
  ...change,
})

const script = (text: string) => ({ args: ['/bin/sh', '-c', text] })
const piped = (text: string) => ({ ...script(text), stdio: 'pipe' as const })
const exists = (): Decision => ({ errno: 'EEXIST' })

describe('a filter that tells of calls', needs, () => {
  test('SC-12 SC-13 an agent gets the listener and answers: for run, exec, create and start', async () => {
    await using bench = await Bench.open('notify')
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    const seccomp = profileFor(path)
    await using agent = await Answering.at(path, exists)

    const ran = await bench.run(script('mkdir /tmp/x; echo $?'), { seccomp })
    expect(ran).toMatchObject({ code: 0, stdout: '1\n', stderr: expect.stringContaining('File exists') })
    expect(agent.calls).toHaveLength(1)
    const [first] = agent.received
    expect(first).toMatchObject({
      pid: expect.any(Number),
      metadata: 'made for a test',
      ociVersion: expect.any(String),
    })
    expect(first!.state).toMatchObject({ status: 'creating', pid: first!.pid })

    const container = await bench.create({ seccomp, labels: ['bundle=/some/where', 'note=1'] })
    const waiting = await container.start(sleeper)
    expect(agent.received).toHaveLength(1)
    await container.exec()
    expect(agent.received[1]).toMatchObject({
      pid: waiting.pid,
      state: {
        id: container.id,
        status: 'created',
        pid: waiting.pid,
        bundle: '/some/where',
        annotations: { note: '1' },
      },
    })
    const inside = await finished(await container.exec(piped('mkdir /tmp/x; mkdir /tmp/y')))
    expect(inside).toMatchObject({ code: 1, stdout: '' })
    expect(agent.received[2]).toMatchObject({ state: { status: 'running', pid: waiting.pid } })
    expect(agent.received[2]!.pid).not.toBe(waiting.pid)
    expect(agent.calls).toHaveLength(3)
    // No process of the container has a listener: only the agent answers.
    const fds = await finished(await container.exec(piped('ls -l /proc/1/fd')))
    expect(fds.stdout).not.toContain('seccomp')
    await container.destroy({ force: true })
    await expect.poll(() => agent.ended).toBe(4)
  })

  test('SC-08 SC-12 the listener gets away whatever the filter forbids, and when it tells of the very exec', async () => {
    await using bench = await Bench.open('notify-hard')
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    // All that could be used to hand it over, or to wait for that.
    const killed =
      'sendmsg sendto close futex sched_yield nanosleep clock_nanosleep ppoll recvmsg dup3 fcntl pidfd_getfd'
    const seccomp = profileFor(path, {
      flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
      syscalls: [
        { names: killed.split(' '), action: 'SCMP_ACT_KILL_PROCESS' },
        { names: ['execve', 'execveat', 'exit_group', 'read'], action: 'SCMP_ACT_NOTIFY' },
        { names: ['writev'], action: 'SCMP_ACT_ERRNO' },
      ],
    })
    await using agent = await Answering.at(path, () => 'allow')
    for (let i = 0; i < 5; i++) expect(await bench.run({ args: ['/bin/true'] }, { seccomp })).toMatchObject({ code: 0 })
    expect(agent.calls.filter(name => name === 'execve')).toHaveLength(5)
    expect(agent.calls.filter(name => name === 'exit_group')).toHaveLength(5)
    // The agent may refuse the program itself: the start fails by that.
    await using refusing = await Answering.at(`${folder.path}/other`, () => ({ errno: 'EXDEV' }))
    const refused = bench.run(
      { args: ['/bin/true'] },
      { seccomp: { ...seccomp, listenerPath: `${folder.path}/other` } },
    )
    await expect(refused).rejects.toMatchObject({ code: 'SystemError' })
    expect(refusing.calls[0]).toBe('execve')
  })

  test('SC-11 SC-12 for whom a filter is: with no_new_privs or without, root or not, in a user namespace or in the host’s', async () => {
    await using bench = await Bench.open('notify-users')
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    const seccomp = profileFor(path)
    await using agent = await Answering.at(path, exists)
    let ran = 0
    for (const more of [{}, { uidMappings: hostIds, gidMappings: hostIds }])
      for (const noNewPrivileges of [false, true])
        for (const user of [0, 1000]) {
          const namespaces = ['mnt', 'pid', 'uts', 'ipc', 'net', ...('uidMappings' in more ? ['user'] : [])]
          const config = { seccomp, noNewPrivileges, ...more, namespaces } as Partial<ContainerConfig>
          const script = piped('mkdir /tmp/x; grep -E "^(CapPrm|Seccomp|NoNew)" /proc/self/status')
          const { stdout, stderr } = await bench.run({ ...script, user: { uid: user, gid: user } }, config)
          expect([user, stderr]).toEqual([user, expect.stringContaining('File exists')])
          expect(stdout).toMatch(new RegExp(`^NoNewPrivs:\\t${noNewPrivileges ? 1 : 0}$`, 'm'))
          if (user !== 0) expect(stdout).toMatch(/^CapPrm:\t0+$/m)
          expect(agent.calls).toHaveLength(++ran)
        }
  })

  test(
    'SC-12 what hands the listener over is a task: without room for it the start fails, and says so',
    requires('cgroup:pids'),
    async () => {
      await using bench = await Bench.open('notify-room')
      using folder = temporaryDirectory('notify-')
      const path = `${folder.path}/agent`
      await using _agent = await Answering.at(path, exists)
      const start = bench.run({ args: ['/bin/true'] }, { seccomp: profileFor(path), cgroups: { pids: { max: 1 } } })
      await expect(start).rejects.toMatchObject({
        cause: expect.objectContaining({ code: 'EAGAIN', syscall: 'clone', hint: expect.stringContaining('pids.max') }),
      })
    },
  )

  test('BY-15 an agent makes a device node that the container itself may not make, and no other', async () => {
    await using bench = await Bench.open('notify-mknod')
    using rootfs = ownRootfs()
    mkdirSync(join(rootfs.path, 'made'), { mode: 0o777 })
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    const seccomp = profileFor(path, { syscalls: [{ names: ['mknod', 'mknodat'], action: 'SCMP_ACT_NOTIFY' }] })
    const NULL_DEVICE = 0x103n
    const asked: string[] = []
    await using _agent = await Answering.at(path, async notification => {
      const [name, , device] = notification.args.slice(notification.syscall === 'mknodat' ? 1 : 0) as [
        bigint,
        bigint,
        bigint,
      ]
      const place = await notification.readString(name)
      asked.push(place)
      if (device !== NULL_DEVICE || !/^\/made\/[a-z]+$/.test(place)) return { errno: 'EPERM' }
      execFileSync('mknod', ['-m', '666', `/proc/${notification.pid}/root${place}`, 'c', '1', '3'])
      return { value: 0 }
    })
    const script = 'mknod /made/null c 1 3 && ls -l /made; mknod /made/kmem c 1 2; mknod /dev/x c 1 3'
    const { stdout, stderr } = await bench.run(piped(script), { rootfs: rootfs.path, seccomp, capabilities: [] })
    expect(stdout).toMatch(/^crw-rw-rw-.* 1, +3 .* null$/m)
    for (const name of ['kmem', '/dev/x']) expect(stderr).toContain(`${name}: Operation not permitted`)
    expect(asked).toEqual(['/made/null', '/made/kmem', '/dev/x'])
  })

  test('SC-12 HK-04 hooks in the container have a listener each; one that nobody needs is not made', async () => {
    await using bench = await Bench.open('notify-hooks')
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    await using agent = await Answering.at(path, exists)
    const hook = { path: '/bin/sh', args: ['sh', '-c', 'mkdir /tmp/x; test $? = 1'], env: ['PATH=/bin'] }
    const config = { seccomp: profileFor(path), hooks: { startContainer: [hook, hook] } }
    expect(await bench.run(script('mkdir /tmp/x; exit 3'), config)).toMatchObject({ code: 3 })
    expect(agent.received).toHaveLength(3)
    expect(agent.calls).toHaveLength(3)
    // The path of a profile that tells of nothing is not looked at.
    const quiet = profileFor(`${folder.path}/absent`, { syscalls: [] })
    expect(await bench.run({ args: ['/bin/true'] }, { seccomp: quiet })).toMatchObject({ code: 0 })
  })

  test('SC-15 a filter that is compiled already is the container’s, for its further processes, too', async () => {
    await using bench = await Bench.open('raw')
    const { filter } = compile(
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 18 }],
      },
      { arch: nativeArch() },
    )
    const seccomp = { bpf: Buffer.from(filter).toString('base64') }
    const { container } = await bench.running({ seccomp })
    const again = await bench.factory.load(container.id)
    for (const each of [container, again]) {
      const made = await finished(await each.exec(piped('mkdir /tmp/x; grep Seccomp: /proc/1/status')))
      expect(made.stderr.toLowerCase()).toContain('cross-device')
      expect(made.stdout).toBe('Seccomp:\t2\n')
    }
    const broken = bench.create({ seccomp: { bpf: 'IAAAAAAAAAA=' } })
    await expect(broken).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'seccomp.bpf[0]' })
  })

  test('EV-183 an agent that is not there, or not any more: nothing is started, and nothing left', async () => {
    await using bench = await Bench.open('notify-absent')
    using folder = temporaryDirectory('notify-')
    const path = `${folder.path}/agent`
    const seccomp = profileFor(path)
    const failed = (code: string) => ({
      code: 'SystemError',
      cause: expect.objectContaining({ code, hint: expect.stringContaining('agent') }),
    })
    const container = await bench.create({ seccomp })
    await expect(container.run(sleeper)).rejects.toMatchObject(failed('ENOENT'))
    await expect(container.start(sleeper)).rejects.toMatchObject(failed('ENOENT'))
    expect(await container.processes().catch(() => [])).toEqual([])
    writeFileSync(path, '')
    await expect(container.start(sleeper)).rejects.toMatchObject(failed('ENOTSOCK'))
    await expect(container.run(sleeper)).rejects.toMatchObject(failed('ECONNREFUSED'))
    rmSync(path)

    const agent = await NotifyAgent.listen(path)
    await container.start(sleeper)
    await agent.close()
    expect(existsSync(path)).toBe(false)
    await expect(container.exec()).rejects.toMatchObject(failed('ENOENT'))
    expect(await container.status()).toBe('created')
    await container.destroy({ force: true })

    // It is there for the first hook, and gone before the second has its listener.
    for (const wait of [false, true]) {
      const fleeting = await NotifyAgent.listen(path)
      const hook = { path: '/bin/sh', args: ['sh', '-c', 'mkdir /tmp/x'], env: ['PATH=/bin'] }
      const config = { seccomp, hooks: { startContainer: [hook, hook] } }
      const hooked = await bench.create(config)
      const serving = fleeting.accept().then(async ({ listener }) => {
        await fleeting.close()
        await listener.serve(() => ({ value: 0 }))
        listener.close()
      })
      if (wait) await hooked.start(sleeper)
      const going = wait ? hooked.exec() : hooked.run(sleeper)
      await expect(going).rejects.toMatchObject({
        code: 'SystemError',
        message: expect.stringContaining('cannot start'),
      })
      await serving
      await expect.poll(() => hooked.processes().catch(() => [])).toEqual([])
      await hooked.destroy({ force: true })
    }
  })

  test('EV-183 EV-184 what cannot be: no listener, an abstract one, metadata alone', async () => {
    await using bench = await Bench.open('notify-never')
    const problem = async (change: object): Promise<string | undefined> => {
      const seccomp = { ...profileFor('/run/agent'), ...change } as Profile
      return await bench.create({ seccomp }).then(
        () => undefined,
        ({ field }) => field,
      )
    }
    expect(await problem({ listenerPath: undefined, listenerMetadata: undefined })).toBe('seccomp.listenerPath')
    expect(await problem({ listenerPath: '@agent' })).toBe('seccomp.listenerPath')
    expect(await problem({ listenerPath: undefined })).toBe('seccomp.listenerMetadata')
    expect(await problem({ defaultAction: 'SCMP_ACT_NOTIFY' })).toBe('seccomp.defaultAction')
    expect(await problem({ syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] })).toBe(
      'seccomp.syscalls[0].action',
    )
  })
})
