import {
  type Action,
  type ClassicArg,
  type ClassicSyscall,
  fromClassic,
  isRaw,
  type Operator,
  type Profile,
  type RawProfile,
  type SyscallArg,
  type SyscallRule,
  toClassic,
} from '@libcontainer/seccomp'
import { ConfigInvalid, defined } from '@libcontainer/sys'
import { Fields } from './fields.js'

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

/** A filter of 2015, for the architecture of this machine. */
export function readSeccomp2015(seccomp: Fields): Profile {
  const syscalls = seccomp.list('syscalls', (value, at): ClassicSyscall => {
    const call = new Fields(value, at)
    const number = call.number('value', 0) ?? 0
    const action = call.number('action') ?? 0
    const args = call.list('args', (each, where): ClassicArg => {
      const arg = new Fields(each, where)
      const read = { index: arg.number('index') ?? 0, value: arg.number('value') ?? 0, op: arg.number('op') ?? 0 }
      arg.end('an argument')
      return read
    })
    call.end('a system call of 2015')
    return { value: number, action, args }
  })
  seccomp.end('a filter of 2015')
  return fromClassic(syscalls ?? [])
}

/** @throws {ConfigInvalid} for what 2015 cannot say: another default, names that this machine lacks, other operators */
export function writeSeccomp2015(profile: Profile | RawProfile): object {
  return { syscalls: toClassic(refuseRaw(profile)) }
}

/** A compiled filter is what neither year had. */
function refuseRaw(profile: Profile | RawProfile): Profile {
  if (isRaw(profile)) throw new ConfigInvalid('seccomp.bpf', profile.bpf, 'cannot be said in a config of that year')
  return profile
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

export function writeSeccomp2026(profile: Profile | RawProfile): object {
  const {
    defaultAction,
    defaultErrnoRet,
    architectures,
    flags,
    listenerPath = '',
    listenerMetadata = '',
    syscalls = [],
  } = refuseRaw(profile)
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
