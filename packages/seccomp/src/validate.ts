import { ConfigInvalid } from '@libcontainer/sys'
import {
  ACTIONS,
  type Action,
  carriesData,
  EPERM,
  FLAGS,
  MAX_ERRNO,
  NEW_LISTENER,
  OPERATORS,
  type Operator,
} from './actions.js'
import { type Arch, architectures, archOfOci, ociArch } from './architectures.js'
import type { Profile, SyscallArg, SyscallRule } from './profile.js'
import { syscallNumber } from './syscalls.js'

/** A comparison in the 32-bit words that BPF compares. */
export interface Condition {
  readonly index: number
  readonly op: Operator
  readonly hi: number
  readonly lo: number
  readonly maskHi: number
  readonly maskLo: number
}

export interface ParsedRule {
  readonly names: readonly string[]
  /** The filter's answer: `SECCOMP_RET_*` with its data. */
  readonly value: number
  /** The conjunctions of which any must hold; empty for a rule without arguments. */
  readonly alternatives: readonly (readonly Condition[])[]
}

/** A profile that is known to be sound. */
export interface ParsedProfile {
  readonly defaultValue: number
  readonly architectures: readonly Arch[]
  /** The flags of seccomp(2). */
  readonly flags: number
  readonly notify: boolean
  /** In the profile's order. One that says what the default says counts as a mention of its names, and no more. */
  readonly rules: readonly ParsedRule[]
  /** The places of the rules that mention a name; a bare number for most. */
  readonly mentions: ReadonlyMap<string, number | readonly number[]>
}

export interface ParseOptions {
  /** Where the profile stands in a larger configuration, for errors. Default: `seccomp`. */
  field?: string | undefined
  /** Refuses a system call that no architecture knows, instead of leaving it out. Default: `false`. */
  strict?: boolean | undefined
}

/**
 * Checks a profile whole and brings it into the compiler's form.
 *
 * @throws {ConfigInvalid} that names the field, such as `seccomp.syscalls[3].args[0].index`
 */
export function parseProfile(
  profile: Profile,
  { field = 'seccomp', strict = false }: ParseOptions = {},
): ParsedProfile {
  if (typeof profile !== 'object' || profile === null) throw new ConfigInvalid(field, profile, 'must be an object')
  if (profile.defaultAction === 'SCMP_ACT_NOTIFY') {
    const problem = 'SCMP_ACT_NOTIFY cannot be the default: not even the call that hands the listener over would run'
    throw new ConfigInvalid(`${field}.defaultAction`, profile.defaultAction, problem)
  }
  const defaultValue = parseAction(
    profile.defaultAction,
    profile.defaultErrnoRet,
    `${field}.defaultAction`,
    `${field}.defaultErrnoRet`,
  )
  checkListener(profile, field)
  const rules = list(profile.syscalls, `${field}.syscalls`).map((rule, i) => parseRule(rule, `${field}.syscalls[${i}]`))
  if (strict) refuseUnknown(rules, field)
  const notify = rules.some(rule => rule.value === ACTIONS.SCMP_ACT_NOTIFY)
  return {
    defaultValue,
    architectures: parseArchitectures(profile, field),
    flags: parseFlags(profile, field, notify),
    notify,
    rules,
    mentions: mentionsOf(rules),
  }
}

function mentionsOf(rules: readonly ParsedRule[]): Map<string, number | readonly number[]> {
  const mentions = new Map<string, number | number[]>()
  rules.forEach(({ names }, rule) => {
    for (const name of names) {
      const before = mentions.get(name)
      if (before === undefined) mentions.set(name, rule)
      else if (typeof before === 'object') before.push(rule)
      else mentions.set(name, [before, rule])
    }
  })
  return mentions
}

/** The names in a profile that no architecture has: newer than this package's tables, or misspelt. */
export function unknownSyscalls(profile: Profile): string[] {
  return unknownNames(parseProfile(profile))
}

/** The same of a profile that is known to be sound. */
export function unknownNames({ mentions }: ParsedProfile): string[] {
  return [...mentions.keys()].filter(name => !isKnown(name))
}

function isKnown(name: string): boolean {
  return architectures.some(arch => syscallNumber(arch, name) !== undefined)
}

function refuseUnknown(rules: readonly ParsedRule[], field: string): void {
  rules.forEach(({ names }, i) => {
    const at = names.findIndex(name => !isKnown(name))
    if (at < 0) return
    throw new ConfigInvalid(`${field}.syscalls[${i}].names[${at}]`, names[at], 'is no system call of any architecture')
  })
}

function parseAction(action: Action, data: number | undefined, field: string, dataField: string): number {
  if (typeof action !== 'string' || !Object.hasOwn(ACTIONS, action)) {
    throw new ConfigInvalid(field, action, `must be one of ${Object.keys(ACTIONS).join(', ')}`)
  }
  const value = ACTIONS[action]
  if (!carriesData(action)) {
    if (data != null) throw new ConfigInvalid(dataField, data, `must be absent: ${action} carries no errno`)
    return value
  }
  // The message of SCMP_ACT_TRACE is the tracer's own number, of the 16 bits that a filter's answer has for it.
  const limit = action === 'SCMP_ACT_ERRNO' ? MAX_ERRNO : 0xffff
  const number = data ?? EPERM
  if (!Number.isInteger(number) || number < 0 || number > limit) {
    throw new ConfigInvalid(dataField, data, `must be an integer from 0 to ${limit}`)
  }
  return value + number
}

function parseRule(rule: SyscallRule, field: string): ParsedRule {
  if (typeof rule !== 'object' || rule === null) throw new ConfigInvalid(field, rule, 'must be an object')
  const { names, action } = rule
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigInvalid(`${field}.names`, names, 'must name at least one system call')
  }
  for (let i = 0; i < names.length; i++) {
    if (typeof names[i] === 'string' && names[i] !== '') continue
    throw new ConfigInvalid(`${field}.names[${i}]`, names[i], 'must be the name of a system call')
  }
  const value = parseAction(action, rule.errnoRet, `${field}.action`, `${field}.errnoRet`)
  if (action === 'SCMP_ACT_NOTIFY' && names.includes('write')) {
    const problem = 'SCMP_ACT_NOTIFY on write would stop the program that has to hand the listener over'
    throw new ConfigInvalid(`${field}.action`, action, problem)
  }
  const conditions = list(rule.args, `${field}.args`).map((arg, i) => parseArg(arg, `${field}.args[${i}]`))
  return { names, value, alternatives: alternativesOf(conditions) }
}

/** Conditions on different arguments must all hold; with two on one argument any may (runc's rule, from which OCI's came). */
function alternativesOf(conditions: Condition[]): Condition[][] {
  if (conditions.length === 0) return []
  const indexes = new Set(conditions.map(condition => condition.index))
  if (indexes.size < conditions.length) return conditions.map(condition => [condition])
  return [conditions.sort((a, b) => a.index - b.index)]
}

function parseArg(arg: SyscallArg, field: string): Condition {
  if (typeof arg !== 'object' || arg === null) throw new ConfigInvalid(field, arg, 'must be an object')
  const { index, op } = arg
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw new ConfigInvalid(`${field}.index`, index, 'must be an integer from 0 to 5')
  }
  if (!OPERATORS.includes(op)) throw new ConfigInvalid(`${field}.op`, op, `must be one of ${OPERATORS.join(', ')}`)
  const [hi, lo] = words(arg.value, `${field}.value`)
  const [hi2, lo2] = words(arg.valueTwo ?? 0, `${field}.valueTwo`)
  if (op !== 'SCMP_CMP_MASKED_EQ') return { index, op, hi, lo, maskHi: 0xffffffff, maskLo: 0xffffffff }
  return { index, op, hi: (hi2 & hi) >>> 0, lo: (lo2 & lo) >>> 0, maskHi: hi, maskLo: lo }
}

function words(value: number | bigint, field: string): [number, number] {
  if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) {
    return [Number(value >> 32n), Number(value & 0xffffffffn)]
  }
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
    return [Math.floor(value / 2 ** 32), value >>> 0]
  }
  const problem = 'must be an unsigned 64-bit integer, above 9007199254740991 as a bigint'
  throw new ConfigInvalid(field, value, problem)
}

function parseArchitectures({ architectures: names }: Profile, field: string): Arch[] {
  return list(names, `${field}.architectures`).map((name, i) => {
    const arch = typeof name === 'string' ? archOfOci(name) : undefined
    if (arch !== undefined) return arch
    const problem = `must be one of ${architectures.map(ociArch).join(', ')}`
    throw new ConfigInvalid(`${field}.architectures[${i}]`, name, problem)
  })
}

/** The flags of seccomp(2). */
export function parseFlags({ flags }: Pick<Profile, 'flags'>, field: string, notify: boolean): number {
  let bits = notify ? NEW_LISTENER : 0
  list(flags, `${field}.flags`).forEach((flag, i) => {
    if (typeof flag !== 'string' || !Object.hasOwn(FLAGS, flag)) {
      throw new ConfigInvalid(`${field}.flags[${i}]`, flag, `must be one of ${Object.keys(FLAGS).join(', ')}`)
    }
    // The loader has one thread, so there is nothing to synchronise; and beside a listener the kernel refuses TSYNC.
    if (flag === 'SECCOMP_FILTER_FLAG_TSYNC') return
    // Without a listener nobody waits, and the kernel refuses the flag.
    if (flag === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' && !notify) return
    bits |= FLAGS[flag]
  })
  return bits
}

function checkListener({ listenerPath, listenerMetadata }: Profile, field: string): void {
  if (listenerPath != null && (typeof listenerPath !== 'string' || !/^\/[^\0]*$/.test(listenerPath))) {
    throw new ConfigInvalid(`${field}.listenerPath`, listenerPath, 'must be the absolute path of a UNIX socket')
  }
  if (listenerMetadata == null) return
  if (typeof listenerMetadata !== 'string') {
    throw new ConfigInvalid(`${field}.listenerMetadata`, listenerMetadata, 'must be a string')
  }
  if (listenerPath == null) {
    throw new ConfigInvalid(`${field}.listenerMetadata`, listenerMetadata, 'needs a listenerPath that it is sent to')
  }
}

function list<T>(value: readonly T[] | null | undefined, field: string): readonly T[] {
  if (value == null) return []
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  return value
}
