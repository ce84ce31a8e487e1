import {
  type Action,
  nativeArch,
  type Operator,
  ociArch,
  type Profile,
  type SyscallArg,
  type SyscallRule,
  syscallName,
  syscallNumber,
} from '@libcontainer/seccomp'
import { ConfigInvalid, defined } from '@libcontainer/sys'
import { Fields } from './fields.js'

/* 2015: numbers of the machine's own system calls, and of what happens to them; everything else is allowed. */
const actions2015 = new Map<number, Action>([
  [-3, 'SCMP_ACT_KILL'],
  [-2, 'SCMP_ACT_TRAP'],
  [-1, 'SCMP_ACT_ALLOW'],
])
const operators2015: readonly Operator[] = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_NE',
  'SCMP_CMP_GT',
  'SCMP_CMP_LT',
  'SCMP_CMP_MASKED_EQ',
]
const MAX_ERRNO = 4095

/** 2026 counts its actions and operators from 1. */
const actions2026: readonly Action[] = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
]
const operators2026: readonly Operator[] = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_NE',
  'SCMP_CMP_GT',
  'SCMP_CMP_GE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_MASKED_EQ',
]

/** SC-01: a filter of 2015, for the architecture of this machine. */
export function readSeccomp2015(seccomp: Fields): Profile {
  const arch = nativeArch()
  const syscalls = seccomp.list('syscalls', (value, at): SyscallRule => {
    const call = new Fields(value, at)
    const number = call.number('value', 0) ?? 0
    const name = syscallName(arch, number)
    if (name === undefined) throw new ConfigInvalid(`${at}.value`, number, `is no system call of ${arch}`)
    const action = call.number('action') ?? 0
    const known = actions2015.get(action)
    if (known === undefined && (action < 1 || action > MAX_ERRNO))
      throw new ConfigInvalid(`${at}.action`, action, `must be -3 (kill), -2 (trap), -1 (allow) or an errno`)
    const args = call.list('args', (each, where): SyscallArg => {
      const arg = new Fields(each, where)
      const index = arg.number('index', 0, 5) ?? 0
      const compared = arg.number('value', 0) ?? 0
      const op = operators2015[arg.number('op', 0, 4) ?? 0]!
      arg.end('an argument')
      return { index, value: compared, op, ...(op === 'SCMP_CMP_MASKED_EQ' && { valueTwo: compared }) }
    })
    call.end('a system call of 2015')
    return {
      names: [name],
      action: known ?? 'SCMP_ACT_ERRNO',
      ...(known === undefined && { errnoRet: action }),
      ...(args && args.length > 0 && { args }),
    }
  })
  seccomp.end('a filter of 2015')
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: [ociArch(arch)], syscalls: syscalls ?? [] }
}

/** @throws {ConfigInvalid} for what 2015 cannot say: another default, names that this machine lacks, other operators */
export function writeSeccomp2015({ defaultAction, architectures, syscalls = [], ...others }: Profile): object {
  const arch = nativeArch()
  if (defaultAction !== 'SCMP_ACT_ALLOW')
    throw new ConfigInvalid(
      'seccomp.defaultAction',
      defaultAction,
      'must be SCMP_ACT_ALLOW to be said in a config of 2015',
    )
  for (const [i, other] of (architectures ?? []).entries()) {
    if (other !== ociArch(arch)) refuse(`seccomp.architectures[${i}]`, other)
  }
  for (const [name, value] of Object.entries(others)) if (value !== undefined) refuse(`seccomp.${name}`, value)
  const writeArg = ({ index, value, valueTwo, op }: SyscallArg, at: string): object => {
    const operator = operators2015.indexOf(op)
    const exact = op === 'SCMP_CMP_MASKED_EQ' ? BigInt(valueTwo ?? 0) === BigInt(value) : true
    if (operator < 0 || !exact || BigInt(value) > 0xffffffffn) refuse(at, op)
    return { index, value: Number(value), op: operator }
  }
  const calls = syscalls.flatMap(({ names, action, errnoRet = 1, args = [] }, i) => {
    const at = `seccomp.syscalls[${i}]`
    const number = action === 'SCMP_ACT_ERRNO' ? errnoRet : [...actions2015].find(([, name]) => name === action)?.[0]
    if (number === undefined || number === 0) refuse(`${at}.action`, action)
    return names.map((name, j) => {
      const value = syscallNumber(arch, name) ?? refuse(`${at}.names[${j}]`, name)
      return { value, action: number, args: args.map((arg, k) => writeArg(arg, `${at}.args[${k}]`)) }
    })
  })
  return { syscalls: calls }
}

function refuse(field: string, value: unknown): never {
  throw new ConfigInvalid(field, value, 'cannot be said in a config of 2015')
}

/** A filter of 2026: names, and actions and operators by their number. */
export function readSeccomp2026(seccomp: Fields): Profile {
  const syscalls = seccomp.list('syscalls', (value, at): SyscallRule => {
    const call = new Fields(value, at)
    const name = call.text('name')
    if (name === undefined) throw new ConfigInvalid(`${at}.name`, name, 'must name a system call')
    const args = call.list('args', (each, where): SyscallArg => {
      const arg = new Fields(each, where)
      const two = arg.integer('value_two', 0, MAX_U64) ?? 0
      const read = {
        index: arg.number('index', 0, 5) ?? 0,
        value: arg.integer('value', 0, MAX_U64) ?? 0,
        op: numbered(arg, 'op', operators2026),
      }
      arg.end('an argument')
      return two === 0 && read.op !== 'SCMP_CMP_MASKED_EQ' ? read : { ...read, valueTwo: two }
    })
    const rule = { action: numbered(call, 'action', actions2026), errnoRet: call.number('errnoRet', 0) }
    call.end('a system call of 2026')
    return { names: [name], ...defined(rule), ...(args && args.length > 0 && { args }) }
  })
  const profile = {
    defaultAction: numbered(seccomp, 'default_action', actions2026),
    defaultErrnoRet: seccomp.number('default_errno_ret', 0),
    architectures: seccomp
      .texts('architectures')
      ?.map((name, i) => archOf(name, `${seccomp.field('architectures')}[${i}]`)),
    flags: seccomp.texts('flags') as Profile['flags'],
    listenerPath: seccomp.text('listener_path') || undefined,
    listenerMetadata: seccomp.text('listener_metadata') || undefined,
  }
  seccomp.end('a filter of 2026')
  return { ...defined(profile), syscalls: syscalls ?? [] }
}

export function writeSeccomp2026(profile: Profile): object {
  const {
    defaultAction,
    defaultErrnoRet,
    architectures,
    flags,
    listenerPath = '',
    listenerMetadata = '',
    syscalls = [],
  } = profile
  return {
    default_action: actions2026.indexOf(defaultAction) + 1,
    architectures: architectures?.map(name => byOciName.get(name)!) ?? null,
    flags: flags ?? null,
    syscalls: syscalls.flatMap(({ names, action, errnoRet, args = [] }) =>
      names.map(name => ({
        name,
        action: actions2026.indexOf(action) + 1,
        errnoRet: errnoRet ?? null,
        args: args.map(({ index, value, valueTwo = 0, op }) => ({
          index,
          value,
          value_two: valueTwo,
          op: operators2026.indexOf(op) + 1,
        })),
      })),
    ),
    default_errno_ret: defaultErrnoRet ?? null,
    listener_path: listenerPath,
    listener_metadata: listenerMetadata,
  }
}

const MAX_U64 = 0xffff_ffff_ffff_ffffn

function numbered<T>(fields: Fields, name: string, words: readonly T[]): T {
  return words[(fields.number(name, 1, words.length) ?? missing(fields.field(name))) - 1]!
}

function missing(field: string): never {
  throw new ConfigInvalid(field, undefined, 'must be given')
}

/** What 2026 calls the architectures of OCI: Go's words, or libseccomp's. */
const goArchs: Readonly<Record<string, string>> = {
  x86: 'X86',
  amd64: 'X86_64',
  x32: 'X32',
  arm: 'ARM',
  arm64: 'AARCH64',
  mips: 'MIPS',
  mips64: 'MIPS64',
  mips64n32: 'MIPS64N32',
  mipsel: 'MIPSEL',
  mipsel64: 'MIPSEL64',
  mipsel64n32: 'MIPSEL64N32',
  ppc: 'PPC',
  ppc64: 'PPC64',
  ppc64le: 'PPC64LE',
  riscv64: 'RISCV64',
  s390: 'S390',
  s390x: 'S390X',
  loong64: 'LOONGARCH64',
}
const byOciName = new Map(Object.entries(goArchs).map(([go, oci]) => [`SCMP_ARCH_${oci}`, go]))

type ArchName = NonNullable<Profile['architectures']>[number]

function archOf(name: string, field: string): ArchName {
  if (!Object.hasOwn(goArchs, name))
    throw new ConfigInvalid(field, name, `must be one of ${Object.keys(goArchs).join(', ')}`)
  return `SCMP_ARCH_${goArchs[name]}` as ArchName
}
