import {
  Context,
  classicActions,
  compile,
  evaluate,
  fromClassic,
  type Profile,
  syscallNumber,
  toClassic,
} from '@libcontainer/seccomp'
import { describe, expect, test } from 'vitest'

const nr = (name: string): number => syscallNumber('x86_64', name)!
const options = { arch: 'x86_64' } as const
const at = (profile: Profile, name: string, ...args: number[]) => evaluate(profile, 'x86_64', name, args)

describe('a filter of 2015', () => {
  test('SC-01 calls by number, five comparisons, three actions or an errno; all else is allowed', () => {
    const profile = fromClassic(
      [
        { value: nr('mount'), action: 13 },
        { value: nr('kill'), action: classicActions.kill, args: [{ index: 1, value: 9, op: 0 }] },
        { value: nr('dup'), action: classicActions.trap, args: [{ index: 0, value: 9, op: 1 }] },
        { value: nr('read'), action: 1, args: [{ index: 2, value: 9, op: 2 }] },
        { value: nr('write'), action: 4095, args: [{ index: 2, value: 9, op: 3 }] },
        { value: nr('clone'), action: 1, args: [{ index: 0, value: 0x30, op: 4 }] },
        { value: nr('chroot'), action: classicActions.allow },
      ],
      options,
    )
    expect(at(profile, 'mount')).toEqual({ action: 'SCMP_ACT_ERRNO', data: 13 })
    expect([at(profile, 'kill', 0, 9), at(profile, 'kill', 0, 8)]).toMatchObject([
      { action: 'SCMP_ACT_KILL_THREAD' },
      { action: 'SCMP_ACT_ALLOW' },
    ])
    const refused = (name: string, index: number, values: number[]): boolean[] =>
      values.map(value => {
        const args = [0, 0, 0]
        args[index] = value
        return at(profile, name, ...args).action !== 'SCMP_ACT_ALLOW'
      })
    expect(refused('dup', 0, [8, 9, 10])).toEqual([true, false, true])
    expect(refused('read', 2, [8, 9, 10])).toEqual([false, false, true])
    expect(refused('write', 2, [8, 9, 10])).toEqual([true, false, false])
    expect(refused('clone', 0, [0x10, 0x30, 0x31, 0x20])).toEqual([false, true, true, false])
    expect(at(profile, 'chroot')).toEqual({ action: 'SCMP_ACT_ALLOW' })
    // 2015 had no look at the architecture, where the same numbers are other calls.
    expect(evaluate(profile, 'x86', 'mkdir', [], { native: 'x86_64' })).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
    expect(compile(profile, options).notify).toBe(false)
  })

  test.each([
    [{ value: 99999, action: 1 }, 'value', 'is no system call of x86_64'],
    [{ value: 0, action: 0 }, 'action', 'must be -3'],
    [{ value: 0, action: -4 }, 'action', 'must be -3'],
    [{ value: 0, action: 4096 }, 'action', 'must be -3'],
    [{ value: 0, action: 1, args: [{ index: 0, value: 0, op: 5 }] }, 'args[0].op', 'from 0 to 4'],
    [{ value: 0, action: 1, args: [{ index: 6, value: 0, op: 0 }] }, 'args[0].index', 'from 0 to 5'],
    [{ value: 0, action: 1, args: [{ index: 0, value: 2 ** 32, op: 0 }] }, 'args[0].value', 'unsigned 32-bit'],
  ])('SC-01 EV-180 what 2015 could not mean is refused: %#', (call, field, problem) => {
    const act = () => fromClassic([{ value: 1, action: 1 }, call], { ...options, field: 'box.seccomp' })
    expect(act).toThrow(expect.objectContaining({ field: `box.seccomp.syscalls[1].${field}` }))
    expect(act).toThrow(problem)
  })

  test('SC-02 a context: a later add replaces, remove takes back, load is a step', () => {
    const context = new Context()
      .add({ value: nr('mount'), action: 13 })
      .add({ value: nr('kill'), action: 1 })
      .add({ value: nr('mount'), action: 1 })
      .remove(nr('kill'))
      .remove(nr('read'))
    const profile = context.profile(options)
    expect(profile.syscalls).toEqual([{ names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }])
    expect(at(profile, 'kill')).toEqual({ action: 'SCMP_ACT_ALLOW' })
    const { filter } = compile(profile, options)
    expect(context.steps(options)).toMatchObject([{ op: 'setSeccompFilter', args: [0, filter] }])
    const twice = [
      { value: nr('mount'), action: 13 },
      { value: nr('mount'), action: 1 },
    ]
    expect(fromClassic(twice, options)).toEqual(profile)
  })

  test('SC-01 a profile goes back to numbers where 2015 has the words', () => {
    const calls = [
      { value: nr('clone'), action: 1, args: [{ index: 0, value: 0x30, op: 4 }] },
      { value: nr('kill'), action: -3, args: [] },
    ]
    expect(toClassic(fromClassic(calls, options), options)).toEqual(calls)
    const allow: Profile = { defaultAction: 'SCMP_ACT_ALLOW' }
    const fields = (change: Partial<Profile>): string => {
      try {
        toClassic({ ...allow, ...change }, options)
        return 'none'
      } catch (error) {
        return (error as { field: string }).field
      }
    }
    const rule = (change: object) =>
      ({ syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', ...change }] }) as unknown as Partial<Profile>
    const arg = (change: object) => rule({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...change }] })
    expect(fields({})).toBe('none')
    expect(fields({ defaultAction: 'SCMP_ACT_ERRNO' })).toBe('seccomp.defaultAction')
    expect(fields({ architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'] })).toBe('seccomp.architectures[1]')
    expect(fields({ flags: [] })).toBe('seccomp.flags')
    expect(fields(rule({ errnoRet: 0 }))).toBe('seccomp.syscalls[0].action')
    expect(fields(rule({ action: 'SCMP_ACT_LOG' }))).toBe('seccomp.syscalls[0].action')
    expect(fields(rule({ names: ['arm_fadvise64_64'] }))).toBe('seccomp.syscalls[0].names[0]')
    expect(fields(arg({ op: 'SCMP_CMP_GE' }))).toBe('seccomp.syscalls[0].args[0]')
    expect(fields(arg({ value: 1n << 40n }))).toBe('seccomp.syscalls[0].args[0]')
  })
})
