import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Asked } from './peers/asked.js'
import { lackOfGo, openGo, openOurs, type Peer } from './peers/peer.js'
import { requires, type TemporaryDirectory, temporaryDirectory, together } from './support/index.js'

/*
 * The same questions for this library and for Go's libcontainer: states, errors, numbers, and what a process sees of its container. Where
 * the two differ it is said below, with the reason.
 */

const needs = requires('root', 'rootfs')
const lack = needs.skip ? undefined : lackOfGo()
if (lack !== undefined) process.stderr.write(`skipped, for want of Go's libcontainer: ${lack}\n`)

const peers: { name: string; skip: boolean; open: (root: string) => Promise<Peer> }[] = [
  { name: 'ours', skip: needs.skip, open: openOurs },
  { name: 'Go', skip: needs.skip || lack !== undefined, open: openGo },
]

/** Differences that are meant. */
const differences = {
  /** FA-10, CO-16, CO-17 of the classic contract: pausing a paused one is no error here. */
  pauseTwice: { ours: undefined, Go: 'ContainerNotRunning' },
} as const

describe.each(peers)('$name', ({ name, skip, open }) => {
  const which = name as 'ours' | 'Go'
  const asWanted = together(needs, { skip, tags: [] })
  let directory: TemporaryDirectory
  let peer: Peer
  let count = 0

  beforeAll(async () => {
    if (skip) return
    directory = temporaryDirectory('peer-')
    peer = await open(`${directory.path}/state`)
  })
  afterAll(async () => {
    await peer?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const fresh = async (asked: Asked = {}): Promise<string> => {
    const id = `peer-${which}-${process.pid}-${++count}`
    await peer.create(id, asked)
    return id
  }
  const code = async (promise: Promise<unknown>): Promise<unknown> =>
    await promise.then(
      () => undefined,
      error => error.code,
    )
  const sleeper = ['/bin/sleep', '1000']

  test('the states of a container, from create to destroy', asWanted, async () => {
    const id = await fresh()
    expect(await peer.status(id)).toBe('stopped')
    await peer.start(id, sleeper)
    expect(await peer.status(id)).toBe('created')
    await peer.release(id)
    expect(await peer.status(id)).toBe('running')
    expect(await peer.load(id)).toBe(id)
    expect(await peer.processes(id)).toBe(1)
    await peer.pause(id)
    expect(await peer.status(id)).toBe('paused')
    await peer.resume(id)
    expect(await peer.status(id)).toBe('running')
    await peer.signal(id, 9)
    expect(await peer.wait(id)).toEqual({ signal: 9, output: '' })
    expect(await peer.status(id)).toBe('stopped')
    expect(await peer.processes(id)).toBe(0)
    await peer.destroy(id)
    await peer.destroy(id)
    expect(await code(peer.load(id))).toBe('ContainerNotExists')
  })

  test('what each state refuses', asWanted, async () => {
    const id = await fresh()
    expect(await code(peer.load(id))).toBe('ContainerNotExists')
    expect(await code(peer.signal(id, 15))).toBe('ContainerNotRunning')
    expect(await code(peer.pause(id))).toBe('ContainerNotRunning')
    await peer.run(id, sleeper)
    expect(await code(peer.create(id, {}))).toBe('IdInUse')
    expect(await code(peer.resume(id))).toBe('NotPaused')
    expect(await code(peer.destroy(id))).toBe('ContainerNotStopped')
    await peer.pause(id)
    expect(await code(peer.destroy(id))).toBe('ContainerPaused')
    expect(await code(peer.pause(id))).toBe(differences.pauseTwice[which])
    await peer.resume(id)
    await peer.signal(id, 9)
    await peer.wait(id)
    expect(await code(peer.exec(id, ['/bin/true']))).not.toBe(undefined)
    await peer.destroy(id)
  })

  test.each(['', '.', '..', 'a/b', 'a b', 'ä', '../x', 'a\nb'])(
    'the id %j is refused, new or old',
    asWanted,
    async id => {
      expect(await code(peer.create(id, {}))).toBe('InvalidIdFormat')
      expect(await code(peer.load(id))).toBe('InvalidIdFormat')
    },
  )

  test('how programs end', asWanted, async () => {
    for (const [script, wanted] of [
      ['exit 0', { code: 0 }],
      ['exit 3', { code: 3 }],
      ['kill -TERM $$', { code: 143 }],
    ] as const) {
      const id = await fresh()
      await peer.run(id, sleeper)
      const { output, ...how } = await peer.exec(id, ['/bin/sh', '-c', script])
      expect(output).toBe('')
      expect('signal' in how ? { code: 128 + how.signal! } : how).toEqual(wanted)
      await peer.signal(id, 9)
      await peer.wait(id)
      await peer.destroy(id)
    }
  })

  test('a program that is not there, and a working directory that is not one', asWanted, async () => {
    const id = await fresh()
    expect(await code(peer.run(id, ['/no/such/program']))).toBe('SystemError')
    expect(await peer.status(id)).toBe('stopped')
    const other = await fresh()
    expect(await code(peer.run(other, ['/bin/true'], '/etc/passwd'))).toBe('SystemError')
    for (const each of [id, other]) await peer.destroy(each)
  })

  test('the numbers of a container', asWanted, async () => {
    const id = await fresh({ memory: 64 * 1024 * 1024, pids: 20 })
    await peer.run(id, ['/bin/sh', '-c', 'sleep 1000 & exec sleep 1000'])
    while ((await peer.processes(id)) < 2);
    expect(await peer.stats(id)).toEqual({
      memoryUsed: true,
      memoryMax: 64 * 1024 * 1024,
      pidsCurrent: 2,
      pidsMax: 20,
      cpuUsed: true,
    })
    await peer.signal(id, 9)
    await peer.wait(id)
    await peer.destroy(id)
  })
})

/** What a shell finds out about the container that it is in, a fact a line. */
const look = `
  hostname; echo pid $$; pwd; umask; id
  echo "$(env | grep -v '^PWD=\\|^SHLVL=\\|^OLDPWD=' | sort)"
  grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups|Uid|Gid|SigIgn|SigBlk)' /proc/self/status
  ulimit -n; cat /proc/self/oom_score_adj
  awk '{ print $5, $6, $9, $NF }' /proc/self/mountinfo | sed 's/size=[0-9]*k,\\?//'
  ls -l /dev | awk '{ print $1, $3, $4, $5, $6, $NF }' | grep -v '^total'
  ls /proc/self/fd | grep -v 3 | xargs echo fds
  for f in /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do stat -c '%n %F %t:%T' $f; done
  touch /proc/sys/kernel/domainname 2>&1; touch /proc/sysrq-trigger 2>&1
  cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni
  ip addr show lo | grep -o 'LOOPBACK,[A-Z_,]*\\|inet [0-9./]*'
  ls /sys/class/net; ls /sys/fs/cgroup | sort | xargs echo
  awk '{ print $6 }' /proc/self/stat
`

/** Lines that differ, and why: what only ours says, and what only Go's says. */
const seenDifferently: readonly { why: string; ours: readonly RegExp[]; Go: readonly RegExp[] }[] = [
  {
    why: 'read-only is a flag of the mount: the file system itself may be seen by other mounts, which it must not change',
    ours: [/^\/sys ro,.* sysfs rw$/],
    Go: [/^\/sys ro,.* sysfs ro$/],
  },
  {
    why: 'the directory of the hierarchies is read-only as the mount asks; it is named after what it holds',
    ours: [/^\/sys\/fs\/cgroup ro,nosuid,nodev,noexec,relatime cgroup rw,mode=755$/],
    Go: [/^\/sys\/fs\/cgroup rw,nosuid,nodev,noexec,relatime tmpfs rw,mode=755$/],
  },
  {
    why: 'a hybrid host has a unified hierarchy, and the container a place in it',
    ours: [/^\/sys\/fs\/cgroup\/unified ro,.* cgroup2 rw$/, / systemd unified$/],
    Go: [/ systemd$/],
  },
  {
    why: 'what hides a directory is nothing to execute, to gain privileges by or to find devices in',
    ours: [/^\/(proc|sys)\/\S+ ro,nosuid,nodev,noexec,relatime tmpfs ro,nr_inodes=1,mode=555$/],
    Go: [/^\/(proc|sys)\/\S+ ro,relatime tmpfs ro,nr_inodes=1$/],
  },
]

test('a process sees the same of its container', together(needs, { skip: lack !== undefined, tags: [] }), async () => {
  const seen: Record<string, string[]> = {}
  for (const { name, open } of peers) {
    using directory = temporaryDirectory('peer-')
    await using peer = await open(`${directory.path}/state`)
    const id = `peer-look-${process.pid}`
    await peer.create(id, { sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.shmmni': '1000' }, pids: 50 })
    await peer.run(id, ['/bin/sh', '-c', look])
    const { output, code } = await peer.wait(id)
    await peer.destroy(id)
    expect(code, output).toBe(0)
    seen[name] = output.split('\n').map(line => line.replaceAll(id, 'ID'))
  }
  const only = (mine: string[], theirs: string[], allowed: readonly RegExp[]): string[] =>
    mine.filter(line => !theirs.includes(line) && !allowed.some(pattern => pattern.test(line)))
  const { ours, Go } = seen as { ours: string[]; Go: string[] }
  expect({
    ours: only(
      ours,
      Go,
      seenDifferently.flatMap(each => each.ours),
    ),
    Go: only(
      Go,
      ours,
      seenDifferently.flatMap(each => each.Go),
    ),
  }).toEqual({ ours: [], Go: [] })
  expect(ours.length).toBeGreaterThan(60)
})
