import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { parseRecord } from '../../init/src/records.js'
import { Bench, inside, ownRootfs, sleeper } from './support.js'

const needs = requires('root', 'program:strace')

/** All that a container can be asked for and that leaves a trace of its own. */
const CONTAINER = `
  import { Factory } from '@libcontainer/container'
  const [root, id, rootfs] = process.argv.slice(1)
  const path = '/bin/true'
  const container = await (await Factory.open(root)).create(id, {
    rootfs, hostname: 'h', domainname: 'd', sysctl: { 'net.ipv4.ip_forward': '1' }, readonlyRootfs: true, noNewPrivileges: true,
    scheduler: { policy: 'SCHED_BATCH' }, ioPriority: { class: 'IOPRIO_CLASS_BE', level: 5 }, personality: 'LINUX', umask: 0o77,
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }], sessionKeyring: true, oomScoreAdj: 123,
    hooks: { prestart: [{ path }], createContainer: [{ path }], startContainer: [{ path }] },
  })
  const common = { env: ['HOME=/', 'PATH=/bin'], cwd: '/etc', user: { uid: 1000, gid: 1000 }, stdio: 'null' }
  try {
    await container.start({ args: ['/bin/sleep', '100'], ...common })
    await container.exec()
    await (await container.exec({ args: ['/bin/true'], ...common })).wait()
  } finally {
    await container.destroy({ force: true })
  }
`

const CALLS =
  'execve,execveat,clone,clone3,setns,unshare,setsid,keyctl,move_mount,mount_setattr,pivot_root,sethostname,setdomainname,openat2,write,openat,' +
  'sched_setaffinity,prlimit64,umask,sched_setattr,ioprio_set,personality,chdir,getcwd,setgroups,setresgid,setresuid,capset,prctl,' +
  'stat,newfstatat,sendmsg,recvmsg,accept4,seccomp,fchown,dup2,waitid'

interface Trace {
  /** The calls of the process that becomes this program, from its birth to that exec. */
  of(program: string): string[]
  readonly lines: readonly string[]
}

function trace(): Trace {
  using directory = temporaryDirectory('trace-')
  const file = `${directory.path}/trace`
  const id = `trace-${process.pid}`
  const run = spawnSync(
    'strace',
    [
      ...['-f', '-qq', '-s', '256', '-e', 'signal=none', '-e', `trace=${CALLS}`, '-o', file],
      ...[process.execPath, '--input-type=module', '-e', CONTAINER, `${directory.path}/state`, id, busyboxRootfs()],
    ],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' },
  )
  expect(run.stderr).toBe('')
  // What another thread interrupted is put together again.
  const lines: string[] = []
  const begun = new Map<string, string>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) begun.set(pid, rest.replace(/ *<unfinished \.\.\.>$/, ''))
    else lines.push(`${pid} ${rest.replace(/^<\.\.\. \w+ resumed>/, begun.get(pid) ?? '')}`)
  }
  return {
    lines,
    of(program) {
      const last = lines.findIndex(
        line => line.includes(` execve("${program}"`) && line.includes(', 0x') && line.endsWith('= 0'),
      )
      expect(last, program).toBeGreaterThan(0)
      const [pid] = lines[last]!.split(' ')
      return lines
        .slice(0, last + 1)
        .filter(line => line.startsWith(`${pid} `))
        .map(line => line.slice(pid!.length + 1))
    },
  }
}

/** Each is there, behind the one before; what they are is printed where one is not. */
function inOrder(calls: readonly string[], ...wanted: readonly RegExp[]): void {
  let at = -1
  for (const each of wanted) {
    const next = calls.findIndex((call, i) => i > at && each.test(call))
    expect(next, `${each} after ${at < 0 ? 'the beginning' : calls[at]}, in:\n${calls.join('\n')}`).toBeGreaterThan(at)
    at = next
  }
}

describe('the order of system calls', () => {
  let traced: Trace
  beforeAll(() => {
    if (!needs.skip) traced = trace()
  }, 120_000)

  const attributes = [/^umask\(077/, /^sched_setattr\(/, /^ioprio_set\(/, /^personality\(PER_LINUX/]
  const user = [/^setgroups\(/, /^setresgid\(1000/, /^setresuid\(1000/, /^capset\(/]
  const program = (path: string) => new RegExp(`stat\\(.*"${path}"`)
  const asked = (name: string) => new RegExp(`^sendmsg\\(.*iov_base="${name}"`)
  const answered = /^recvmsg\(.*\) = [1-9]/
  const hook = /^clone3?\(.*CLONE_PIDFD.*SIGCHLD/
  const filter = /^seccomp\(SECCOMP_SET_MODE_FILTER/
  const executing = /^sendmsg\(.*iov_base="\\3/

  test(
    'IN-09 the first process: cgroups, keyring, mounts, hooks, pivot, names, sysctl, process, state saved, start, hook, filter, exec',
    needs,
    () => {
      inOrder(
        traced.of('/bin/sleep'),
        /^execveat\(/,
        /^prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\)/,
        /^openat2\(.*(tasks|cgroup.procs)/,
        /^setsid\(/,
        /^keyctl\(KEYCTL_JOIN_SESSION_KEYRING/,
        /^move_mount\(/,
        asked('hooks'),
        answered,
        hook,
        /^pivot_root\(/,
        /^mount_setattr\(.*MOUNT_ATTR_RDONLY/,
        /^sethostname\("h"/,
        /^setdomainname\("d"/,
        /^openat2\(.*sys\/net\/ipv4\/ip_forward/,
        /^sched_setaffinity\(/,
        /^prlimit64\(0, RLIMIT_CORE/,
        ...attributes,
        /^chdir\("\/etc"/,
        ...user,
        /^chdir\("\/etc"/,
        /^prctl\(PR_SET_NO_NEW_PRIVS, 1/,
        program('/bin/sleep'),
        answered,
        /^prctl\(PR_SET_NAME, "init:created"\)/,
        /^sendmsg\(.*iov_base="\\5/,
        /^accept4\(/,
        hook,
        executing,
        filter,
        /^execve\("\/bin\/sleep"/,
      )
    },
  )

  test('IN-10 a further process: keyring, process, state saved, filter, exec', needs, () => {
    inOrder(
      further(),
      /^setsid\(/,
      /^keyctl\(KEYCTL_JOIN_SESSION_KEYRING/,
      /^sched_setaffinity\(/,
      /^prlimit64\(0, RLIMIT_CORE/,
      ...attributes,
      /^chdir\("\/etc"/,
      ...user,
      /^prctl\(PR_SET_NO_NEW_PRIVS, 1/,
      program('/bin/true'),
      answered,
      executing,
      filter,
      /^execve\("\/bin\/true"/,
    )
  })

  /** The one that is `init` when it executes /bin/true: hooks do not filter themselves. */
  function further(): string[] {
    const at = traced.lines.findLastIndex(line => / execve\("\/bin\/true".*= 0$/.test(line))
    const [pid] = traced.lines[at]!.split(' ')
    return traced.lines
      .slice(0, at + 1)
      .filter(line => line.startsWith(`${pid} `))
      .map(line => line.slice(pid!.length + 1))
  }

  test(
    'IN-01 a process that joins namespaces clones once more, as a child of the same parent, and the first is reaped',
    needs,
    () => {
      const joining = traced.lines.filter(line => /^\d+ setns\(\d+, .*CLONE_NEWPID/.test(line))
      expect(joining).toHaveLength(1)
      const [pid] = joining[0]!.split(' ')
      const calls = traced.lines.filter(line => line.startsWith(`${pid} `)).map(line => line.slice(pid!.length + 1))
      inOrder(
        calls,
        /^openat2\(.*(tasks|cgroup.procs)|^execveat/,
        /^setns\(/,
        /^clone3?\(.*CLONE_PARENT/,
        /^sendmsg\(.*iov_base="\\4/,
      )
      // The first process of a container is cloned into new namespaces at once: nothing is joined, and no second clone needed.
      expect(traced.of('/bin/sleep').filter(call => /CLONE_PARENT/.test(call))).toEqual([])
      expect(traced.lines.filter(line => /clone3\(.*CLONE_NEWNS.*CLONE_NEWPID/.test(line))).toHaveLength(1)
    },
  )

  test('IN-03 IN-16 not dumpable from its first call on, from an image that has no name', needs, () => {
    for (const calls of [traced.of('/bin/sleep'), further()]) {
      if (!calls.some(call => call.startsWith('execveat('))) continue
      const [, first] = calls.slice(calls.findIndex(call => call.startsWith('execveat(')))
      expect(first).toMatch(/^prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\)/)
    }
    expect(traced.lines.filter(line => /PR_SET_DUMPABLE, SUID_DUMP_USER/.test(line))).toEqual([])
    expect(traced.of('/bin/sleep').join('\n')).toMatch(/execveat\(\d+, "", .*AT_EMPTY_PATH/)
  })

  test('IN-02 the score for the OOM killer is written before the program runs, by the parent', needs, () => {
    const lines = traced.lines
    const opened = lines.findIndex(line => /openat\(.*\/proc\/\d+\/oom_score_adj/.test(line))
    expect(lines.slice(opened).find(line => / write\(\d+, "123"/.test(line))).toBeDefined()
    expect(opened).toBeLessThan(lines.findIndex(line => / execve\("\/bin\/sleep"/.test(line)))
  })

  test('IN-04 the cgroups are joined before the plan’s first act on anything else', needs, () => {
    const calls = traced.of('/bin/sleep')
    const afterBirth = calls.slice(calls.findIndex(call => /PR_SET_NAME, "init"/.test(call)) + 1)
    const joined = afterBirth.findLastIndex(call => /openat2\(.*(tasks|cgroup.procs)/.test(call))
    expect(afterBirth.slice(0, joined).filter(call => !/^(openat2|openat|write)\(/.test(call))).toEqual([])
  })
})

test(
  'IN-01 IN-06 with a user namespace: it alone is there first, its maps are written from outside, and init is its root',
  requires('root'),
  async () => {
    await using bench = await Bench.open('stages')
    using rootfs = ownRootfs()
    const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
    const container = await bench.create({
      rootfs: rootfs.path,
      namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'],
      uidMappings: map,
      gidMappings: map,
    })
    await container.run({ ...sleeper, additionalGroups: [5] })
    const status = await inside(
      container,
      'grep -E "^(Uid|Gid|Groups)" /proc/1/status; cat /proc/1/uid_map; cut -d" " -f6 /proc/1/stat',
    )
    expect(status.split('\n').map(line => line.trim().split(/\s+/).join(' '))).toEqual([
      'Uid: 0 0 0 0',
      'Gid: 0 0 0 0',
      'Groups: 5',
      '0 100000 65536',
      '1',
    ])
  },
)

test('IN-07 IN-08 one packet socket carries every word; one that nobody knows ends the conversation', () => {
  const record = (kind: number, text: string): Uint8Array => {
    const data = Buffer.from(text)
    const head = Buffer.alloc(8)
    head.writeUInt32LE(kind, 0)
    head.writeUInt32LE(data.length, 4)
    return Buffer.concat([head, data])
  }
  expect(parseRecord(record(1, 'hooks'), [])).toMatchObject({ kind: 'ask', name: 'hooks' })
  expect(parseRecord(record(3, ''), [])).toEqual({ kind: 'executing' })
  expect(parseRecord(record(5, ''), [])).toEqual({ kind: 'created' })
  const hook = Buffer.concat([Buffer.from([1, 0, 0, 0, 9, 0, 0, 0]), Buffer.from('createContainer[0]\0/bin/x\0out')])
  expect(parseRecord(record(7, hook.toString('latin1')), [])).toEqual({
    kind: 'hook',
    hook: { name: 'createContainer[0]', program: '/bin/x', how: 'killed', value: 9, output: 'out' },
  })
  for (const bytes of [record(0, ''), record(8, 'x'), record(4, 'no descriptor'), new Uint8Array(3)])
    expect(() => parseRecord(bytes, [])).toThrow(/record that nobody knows/)
})
