import { compile, defaultProfile, evaluate, type Profile, seccompSteps, unknownSyscalls } from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'
import { expect, test } from 'vitest'

const base: Profile = { defaultAction: 'SCMP_ACT_ERRNO' }

/** A profile that no type would let through. */
function refused(change: object, field: string): void {
  const profile = { ...base, ...change } as Profile
  let thrown: unknown
  try {
    compile(profile, { arch: 'x86_64' })
  } catch (error) {
    thrown = error
  }
  expect(
    thrown,
    JSON.stringify(change, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  ).toBeInstanceOf(ConfigInvalid)
  expect(thrown).toMatchObject({ code: 'ConfigInvalid', field })
}

function withRule(change: object): object {
  return {
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      { names: ['kill'], action: 'SCMP_ACT_TRAP', ...change },
    ],
  }
}

function withArg(change: object): object {
  return withRule({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...change }] })
}

test('EV-180 an unknown action, operator, architecture or flag is refused by name', () => {
  refused({ defaultAction: 'SCMP_ACT_DENY' }, 'seccomp.defaultAction')
  refused({ defaultAction: undefined }, 'seccomp.defaultAction')
  refused({ defaultAction: 'constructor' }, 'seccomp.defaultAction')
  refused(withRule({ action: 'allow' }), 'seccomp.syscalls[1].action')
  refused(withRule({ action: '__proto__' }), 'seccomp.syscalls[1].action')
  refused(withArg({ op: 'SCMP_CMP_XX' }), 'seccomp.syscalls[1].args[0].op')
  refused(withArg({ op: undefined }), 'seccomp.syscalls[1].args[0].op')
  refused({ architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_VAX'] }, 'seccomp.architectures[1]')
  refused({ architectures: ['x86_64'] }, 'seccomp.architectures[0]')
  refused({ architectures: ['SCMP_ARCH_x86_64'] }, 'seccomp.architectures[0]')
  refused({ flags: ['SECCOMP_FILTER_FLAG_NEW'] }, 'seccomp.flags[0]')
})

test('EV-181 an errno where none belongs, or beyond the kernel’s, is refused', () => {
  refused({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 }, 'seccomp.defaultErrnoRet')
  refused({ defaultAction: 'SCMP_ACT_KILL', defaultErrnoRet: 0 }, 'seccomp.defaultErrnoRet')
  refused({ defaultErrnoRet: 4096 }, 'seccomp.defaultErrnoRet')
  refused({ defaultErrnoRet: -1 }, 'seccomp.defaultErrnoRet')
  refused({ defaultErrnoRet: 1.5 }, 'seccomp.defaultErrnoRet')
  refused(withRule({ errnoRet: 1 }), 'seccomp.syscalls[1].errnoRet')
  refused(withRule({ action: 'SCMP_ACT_ERRNO', errnoRet: 4096 }), 'seccomp.syscalls[1].errnoRet')
  refused(withRule({ action: 'SCMP_ACT_TRACE', errnoRet: 65536 }), 'seccomp.syscalls[1].errnoRet')
  const profile: Profile = { ...base, syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', errnoRet: 4095 }] }
  expect(evaluate(profile, 'x86_64', 'kill')).toEqual({ action: 'SCMP_ACT_ERRNO', data: 4095 })
})

test('SC-04 errno 0 can be said, and the default is EPERM', () => {
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { names: ['kill'], action: 'SCMP_ACT_ERRNO', errnoRet: 0 },
      { names: ['read'], action: 'SCMP_ACT_TRACE' },
    ],
  }
  expect(evaluate(profile, 'x86_64', 'kill')).toEqual({ action: 'SCMP_ACT_ERRNO', data: 0 })
  expect(evaluate(profile, 'x86_64', 'read')).toEqual({ action: 'SCMP_ACT_TRACE', data: 1 })
  expect(evaluate({ ...profile, syscalls: [] }, 'x86_64', 'kill')).toEqual({ action: 'SCMP_ACT_ERRNO', data: 1 })
})

test('EV-182 a wrong argument, name or list is refused with its path', () => {
  refused(withArg({ index: 6 }), 'seccomp.syscalls[1].args[0].index')
  refused(withArg({ index: -1 }), 'seccomp.syscalls[1].args[0].index')
  refused(withArg({ index: '0' }), 'seccomp.syscalls[1].args[0].index')
  refused(withArg({ value: -1 }), 'seccomp.syscalls[1].args[0].value')
  refused(withArg({ value: 2 ** 53 }), 'seccomp.syscalls[1].args[0].value')
  refused(withArg({ value: 1n << 64n }), 'seccomp.syscalls[1].args[0].value')
  refused(withArg({ value: undefined }), 'seccomp.syscalls[1].args[0].value')
  refused(withArg({ valueTwo: 0.5 }), 'seccomp.syscalls[1].args[0].valueTwo')
  refused(withRule({ args: [null] }), 'seccomp.syscalls[1].args[0]')
  refused(withRule({ args: {} }), 'seccomp.syscalls[1].args')
  refused(withRule({ names: [] }), 'seccomp.syscalls[1].names')
  refused(withRule({ names: undefined }), 'seccomp.syscalls[1].names')
  refused(withRule({ names: ['read', ''] }), 'seccomp.syscalls[1].names[1]')
  refused(withRule({ names: [4] }), 'seccomp.syscalls[1].names[0]')
  refused({ syscalls: ['read'] }, 'seccomp.syscalls[0]')
  refused({ syscalls: 'read' }, 'seccomp.syscalls')
  expect(() => compile(null as unknown as Profile, { arch: 'x86_64' })).toThrow(ConfigInvalid)
  expect(() => compile(base, { arch: 'vax' as 'x86_64' })).toThrow(/arch: must be one of x86, /)
})

test('SC-09 an unknown name is left out, told on request, and refused when strict', () => {
  const profile: Profile = {
    ...base,
    syscalls: [
      { names: ['read', 'arm_fadvise64_64'], action: 'SCMP_ACT_ALLOW' },
      { names: ['kill', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
    ],
  }
  const known: Profile = {
    ...base,
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      { names: ['kill'], action: 'SCMP_ACT_ALLOW' },
    ],
  }
  expect(compile(profile, { arch: 'x86_64' }).filter).toEqual(compile(known, { arch: 'x86_64' }).filter)
  expect(unknownSyscalls(profile)).toEqual(['no_such_call'])
  expect(() => compile(profile, { arch: 'x86_64', strict: true, field: 'linux.seccomp' })).toThrow(
    'linux.seccomp.syscalls[1].names[1]: is no system call of any architecture (got "no_such_call")',
  )
  expect(compile(known, { arch: 'x86_64', strict: true })).toEqual(compile(known, { arch: 'x86_64' }))
  expect(unknownSyscalls(defaultProfile({ arch: 'x86_64' }))).toEqual([])
})

test('EV-183 NOTIFY as the default, on write, or with nobody to answer is refused', () => {
  refused({ defaultAction: 'SCMP_ACT_NOTIFY' }, 'seccomp.defaultAction')
  refused(withRule({ action: 'SCMP_ACT_NOTIFY', names: ['mkdir', 'write'] }), 'seccomp.syscalls[1].action')
  refused({ listenerPath: 'agent.sock' }, 'seccomp.listenerPath')
  refused({ listenerPath: '@agent' }, 'seccomp.listenerPath')
  refused({ listenerPath: '/run/a\0b' }, 'seccomp.listenerPath')
  const profile: Profile = { ...base, syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }
  expect(() => seccompSteps(profile, { arch: 'x86_64' })).toThrow(/^seccomp\.listenerPath: /)
  expect(seccompSteps(profile, { arch: 'x86_64', listener: 'agent' })).toMatchObject([{ into: 'agent' }])
})

test('EV-184 metadata without a listener is refused', () => {
  refused({ listenerMetadata: 'who' }, 'seccomp.listenerMetadata')
  refused({ listenerMetadata: 7, listenerPath: '/run/agent' }, 'seccomp.listenerMetadata')
  const profile: Profile = { ...base, listenerPath: '/run/agent', listenerMetadata: 'who' }
  expect(compile(profile, { arch: 'x86_64' }).notify).toBe(false)
})

test('EV-185 a default of KILL without rules compiles, and kills', () => {
  const profile: Profile = { defaultAction: 'SCMP_ACT_KILL' }
  expect(evaluate(profile, 'x86_64', 'execve')).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
  expect(compile(profile, { arch: 'x86_64' }).filter.length).toBeGreaterThan(0)
})

test('null stands for absent, as in the JSON of engines', () => {
  const profile = {
    ...base,
    defaultErrnoRet: null,
    flags: null,
    architectures: null,
    syscalls: null,
  } as unknown as Profile
  expect(compile(profile, { arch: 'x86_64' })).toEqual(compile(base, { arch: 'x86_64' }))
})
