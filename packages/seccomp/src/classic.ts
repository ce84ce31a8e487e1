import { ConfigInvalid } from '@libcontainer/sys'
import { type Action, MAX_ERRNO, type Operator } from './actions.js'
import { type Arch, ociArch } from './architectures.js'
import type { Profile, SyscallArg, SyscallRule } from './profile.js'
import { nativeArch } from './support.js'
import { syscallName, syscallNumber } from './syscalls.js'

/** A comparison in the words of 2015. */
export interface ClassicArg {
  /** 0 to 5. */
  readonly index: number
  /** Below 2³². */
  readonly value: number
  /** 0 equal, 1 not equal, 2 greater, 3 less, 4 all bits of the value set. */
  readonly op: number
}

/** What happens to a system call of this machine, in the words of 2015. */
export interface ClassicSyscall {
  /** The number of the call. */
  readonly value: number
  /** -3 kill, -2 trap, -1 allow; above zero an errno. */
  readonly action: number
  readonly args?: readonly ClassicArg[] | undefined
}

/** The actions of 2015 that are not an errno. */
export const classicActions = Object.freeze({ kill: -3, trap: -2, allow: -1 })

const ACTIONS = new Map<number, Action>([
  [classicActions.kill, 'SCMP_ACT_KILL'],
  [classicActions.trap, 'SCMP_ACT_TRAP'],
  [classicActions.allow, 'SCMP_ACT_ALLOW'],
])

const OPERATORS: readonly Operator[] = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_NE',
  'SCMP_CMP_GT',
  'SCMP_CMP_LT',
  'SCMP_CMP_MASKED_EQ',
]

export interface ClassicOptions {
  /** Whose numbers the calls have. Default: this machine's. */
  arch?: Arch | undefined
  /** Where the filter stands in a larger configuration, for errors. Default: `seccomp`. */
  field?: string | undefined
}

/**
 * A filter of 2015 as a profile: calls by number, all others allowed; of two entries for one call the later counts.
 *
 * It was for whatever architecture a call came from. Now the calls of any but `arch` are killed: the numbers mean something else there. It also brought
 * no_new_privs, which a profile does not.
 *
 * @throws {ConfigInvalid} for a number that no call has, and for other actions and operators
 */
export function fromClassic(
  syscalls: readonly ClassicSyscall[],
  { arch = nativeArch(), field = 'seccomp' }: ClassicOptions = {},
): Profile {
  const rules = new Map<number, SyscallRule>()
  for (const [i, call] of syscalls.entries()) {
    const rule = ruleOf(call, arch, `${field}.syscalls[${i}]`)
    rules.delete(call.value)
    rules.set(call.value, rule)
  }
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: [ociArch(arch)], syscalls: [...rules.values()] }
}

function ruleOf({ value, action, args = [] }: ClassicSyscall, arch: Arch, field: string): SyscallRule {
  const name = syscallName(arch, value)
  if (name === undefined) throw new ConfigInvalid(`${field}.value`, value, `is no system call of ${arch}`)
  const known = ACTIONS.get(action)
  if (known === undefined && !(Number.isInteger(action) && action >= 1 && action <= MAX_ERRNO))
    throw new ConfigInvalid(`${field}.action`, action, 'must be -3 (kill), -2 (trap), -1 (allow) or an errno')
  return {
    names: [name],
    action: known ?? 'SCMP_ACT_ERRNO',
    ...(known === undefined && { errnoRet: action }),
    ...(args.length > 0 && { args: args.map((arg, i) => argOf(arg, `${field}.args[${i}]`)) }),
  }
}

function argOf({ index, value, op }: ClassicArg, field: string): SyscallArg {
  const operator = OPERATORS[op]
  if (operator === undefined)
    throw new ConfigInvalid(`${field}.op`, op, `must be an integer from 0 to ${OPERATORS.length - 1}`)
  if (!Number.isInteger(index) || index < 0 || index > 5)
    throw new ConfigInvalid(`${field}.index`, index, 'must be an integer from 0 to 5')
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new ConfigInvalid(`${field}.value`, value, 'must be an unsigned 32-bit integer')
  return { index, value, op: operator, ...(operator === 'SCMP_CMP_MASKED_EQ' && { valueTwo: value }) }
}

/**
 * A profile as a filter of 2015.
 *
 * @throws {ConfigInvalid} for what 2015 cannot say: another default, names that the machine lacks, other operators
 */
export function toClassic(
  { defaultAction, architectures, syscalls = [], ...others }: Profile,
  { arch = nativeArch(), field = 'seccomp' }: ClassicOptions = {},
): ClassicSyscall[] {
  if (defaultAction !== 'SCMP_ACT_ALLOW')
    throw new ConfigInvalid(
      `${field}.defaultAction`,
      defaultAction,
      'must be SCMP_ACT_ALLOW to be said in a config of 2015',
    )
  for (const [i, other] of (architectures ?? []).entries()) {
    if (other !== ociArch(arch)) refuse(`${field}.architectures[${i}]`, other)
  }
  for (const [name, value] of Object.entries(others)) if (value !== undefined) refuse(`${field}.${name}`, value)
  return syscalls.flatMap(({ names, action, errnoRet = 1, args = [] }, i) => {
    const at = `${field}.syscalls[${i}]`
    const number = action === 'SCMP_ACT_ERRNO' ? errnoRet : [...ACTIONS].find(([, name]) => name === action)?.[0]
    if (number === undefined || number === 0) refuse(`${at}.action`, action)
    return names.map((name, j) => ({
      value: syscallNumber(arch, name) ?? refuse(`${at}.names[${j}]`, name),
      action: number,
      args: args.map((arg, k) => classicArg(arg, `${at}.args[${k}]`)),
    }))
  })
}

function classicArg({ index, value, valueTwo, op }: SyscallArg, field: string): ClassicArg {
  const operator = OPERATORS.indexOf(op)
  const exact = op === 'SCMP_CMP_MASKED_EQ' ? BigInt(valueTwo ?? 0) === BigInt(value) : true
  if (operator < 0 || !exact || BigInt(value) > 0xffffffffn) refuse(field, op)
  return { index, value: Number(value), op: operator }
}

function refuse(field: string, value: unknown): never {
  throw new ConfigInvalid(field, value, 'cannot be said in a config of 2015')
}
