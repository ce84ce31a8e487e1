import {
  type Arch,
  compile,
  defaultProfile,
  evaluate,
  nsinitProfile,
  type Profile,
  type SecurityLevel,
  simulate,
  syscallNumber,
} from '@libcontainer/seccomp'
import { expect, test } from 'vitest'
import { syscallTable } from '../src/syscalls.js'

function action(profile: Profile, arch: Arch, name: string, args: (number | bigint)[] = []): string {
  const verdict = evaluate(profile, arch, name, args)
  const { filter } = compile(profile, { arch })
  expect(simulate(filter, { arch, nr: syscallNumber(arch, name)!, args })).toEqual(verdict)
  return verdict.data === undefined ? verdict.action : `${verdict.action} ${verdict.data}`
}

const ALLOW = 'SCMP_ACT_ALLOW'
const EPERM = 'SCMP_ACT_ERRNO 1'
const ENOSYS = 'SCMP_ACT_ERRNO 38'

test('SC-17 the default profile allows what programs live on and refuses what reaches out', () => {
  for (const arch of ['x86_64', 'aarch64', 's390x', 'riscv64', 'ppc64le'] as const) {
    const profile = defaultProfile({ arch })
    for (const name of [
      'read',
      'openat',
      'execve',
      'mmap',
      'futex',
      'exit_group',
      'rt_sigreturn',
      'ptrace',
      'seccomp',
    ]) {
      expect(action(profile, arch, name), `${arch} ${name}`).toBe(ALLOW)
    }
    for (const name of [
      'mount',
      'umount2',
      'move_mount',
      'pivot_root',
      'unshare',
      'setns',
      'bpf',
      'perf_event_open',
      'kexec_load',
      'init_module',
      'add_key',
      'keyctl',
      'io_uring_setup',
      'userfaultfd',
      'open_by_handle_at',
      'swapon',
      'reboot',
      'settimeofday',
      'quotactl',
      'chroot',
      'pidfd_getfd',
    ]) {
      expect(action(profile, arch, name), `${arch} ${name}`).toBe(EPERM)
    }
    expect(action(profile, arch, 'clone3')).toBe(ENOSYS)
    expect(evaluate(profile, arch, 500)).toEqual({ action: 'SCMP_ACT_ERRNO', data: 38 })
  }
})

test('SC-17 clone makes threads and processes, and no namespaces; on s390 its flags come second', () => {
  for (const [arch, flags] of [
    ['x86_64', (value: number) => [value, 0]],
    ['s390x', (value: number) => [0, value]],
  ] as const) {
    const profile = defaultProfile({ arch })
    expect(action(profile, arch, 'clone', flags(0x3d0f00))).toBe(ALLOW)
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(action(profile, arch, 'clone', flags(flag + 17))).toBe(EPERM)
    }
    const admin = defaultProfile({ arch, capabilities: ['CAP_SYS_ADMIN'] })
    expect(action(admin, arch, 'clone', flags(0x10000000))).toBe(ALLOW)
    expect(action(admin, arch, 'clone3')).toBe(ALLOW)
  }
})

test('SC-17 personality and socket are told apart by their arguments', () => {
  const profile = defaultProfile({ arch: 'x86_64' })
  for (const value of [0, 8, 0x20000, 0x20008, 0xffffffff]) {
    expect(action(profile, 'x86_64', 'personality', [value])).toBe(ALLOW)
  }
  for (const value of [0x40000, 1, 0x1_0000_0000, 0xffff_ffff_ffff_ffffn]) {
    expect(action(profile, 'x86_64', 'personality', [value])).toBe(EPERM)
  }
  expect(action(profile, 'x86_64', 'socket', [1])).toBe(ALLOW)
  expect(action(profile, 'x86_64', 'socket', [40])).toBe(EPERM)
})

test('SC-17 a capability opens the calls that are for it, and no others', () => {
  const calls: Record<string, string> = {
    CAP_BPF: 'bpf',
    CAP_DAC_READ_SEARCH: 'open_by_handle_at',
    CAP_PERFMON: 'perf_event_open',
    CAP_SYS_ADMIN: 'mount',
    CAP_SYS_BOOT: 'reboot',
    CAP_SYS_CHROOT: 'chroot',
    CAP_SYS_MODULE: 'init_module',
    CAP_SYS_NICE: 'mbind',
    CAP_SYS_PACCT: 'acct',
    CAP_SYS_PTRACE: 'kcmp',
    CAP_SYS_RAWIO: 'iopl',
    CAP_SYS_TIME: 'clock_settime',
    CAP_SYS_TTY_CONFIG: 'vhangup',
    CAP_SYSLOG: 'syslog',
  }
  for (const [capability, name] of Object.entries(calls)) {
    const profile = defaultProfile({ arch: 'x86_64', capabilities: new Set([capability, 'CAP_CHOWN']) })
    for (const [other, otherName] of Object.entries(calls)) {
      const opened = other === capability || (capability === 'CAP_SYS_ADMIN' && /bpf|perf|syslog/.test(otherName))
      expect(action(profile, 'x86_64', otherName), `${otherName} with ${capability}`).toBe(opened ? ALLOW : EPERM)
    }
    expect(action(profile, 'x86_64', name)).toBe(ALLOW)
  }
})

test('SC-17 the default profile names real calls, and few of them twice', () => {
  const profile = defaultProfile({ arch: 'x86_64' })
  const names = profile.syscalls!.flatMap(rule => rule.names)
  expect(names.length).toBe(new Set(names).size)
  expect(names.length).toBeGreaterThan(350)
  const allowed = syscallTable('x86_64').names.filter(name => evaluate(profile, 'x86_64', name).action === ALLOW)
  expect(allowed.length).toBeGreaterThan(290)
  expect(compile(profile, { arch: 'x86_64' }).filter.length / 8).toBeLessThan(300)
})

test('CL-20 SC-17 the levels of nsinit refuse their lists with EPERM and allow all else', () => {
  const always = 'unshare setns mount umount2 create_module delete_module kexec_load'.split(' ')
  const names = 'chroot setdomainname sethostname'.split(' ')
  const files = 'capset chmod chown link linkat unlink unlinkat'.split(' ')
  const denied: Record<SecurityLevel, string[]> = {
    high: [...always, ...names, ...files],
    medium: [...always, ...names],
    low: always,
  }
  for (const level of ['high', 'medium', 'low'] as const) {
    const profile = nsinitProfile(level, 'x86_64')
    for (const name of [...always, ...names, ...files]) {
      expect(action(profile, 'x86_64', name), `${level} ${name}`).toBe(denied[level].includes(name) ? EPERM : ALLOW)
    }
    expect(action(profile, 'x86_64', 'read')).toBe(ALLOW)
    expect(action(profile, 'x86_64', 'clone', [0x10000011])).toBe(EPERM)
    expect(action(profile, 'x86_64', 'clone', [0x20000011])).toBe(ALLOW)
    expect(action(profile, 'x86_64', 'clone3')).toBe(ENOSYS)
    expect(evaluate(profile, 'x32', 'mount', [], { native: 'x86_64' }).data).toBe(1)
    expect(evaluate(profile, 'x86', 'umount', [], { native: 'x86_64' }).data).toBe(1)
  }
  // What chmod and unlink are on a machine that has only the newer calls.
  expect(action(nsinitProfile('high', 'aarch64'), 'aarch64', 'fchmodat')).toBe(EPERM)
  expect(action(nsinitProfile('high', 'aarch64'), 'aarch64', 'unlinkat')).toBe(EPERM)
})
