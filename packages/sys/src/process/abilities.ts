import { LibcontainerError } from '../errors/errors.js'
import { readText } from '../files/files.js'
import { native } from '../native.js'
import { statusField } from '../proc/status-field.js'

/**
 * What a package can do, the same on every host: words of its own vocabulary by subject, frozen. Every package's `features()` answers with
 * one, at once and without asking the kernel.
 */
export type Features<Subject extends string = string> = Readonly<Record<Subject, readonly string[]>>

/** What was looked for is there. */
export interface Available {
  readonly available: true
  /** What was found, in a few words: a version, a list. */
  readonly detail?: string
}

/** What was looked for is not there, or not for this process. */
export interface Unavailable {
  readonly available: false
  /** Why: the kernel's own answer where there is one. */
  readonly reason: string
  /** What would bring it. */
  readonly hint?: string
}

export type Availability = Available | Unavailable

/** What this host offers this process, by name. Every package's `probe()` resolves to one; what is absent makes it reject nowhere. */
export type Probe<Name extends string = string> = Readonly<Record<Name, Availability>>

/** Looks for one thing: answers, or a detail, or nothing, where it is there; throws a {@link LibcontainerError} where it is not. */
export type Check = () => Availability | string | undefined | Promise<Availability | string | undefined>

/** Freezes what a package says of itself. */
export function describeFeatures<Words extends Features>(words: Words): Words {
  const copies = Object.entries(words).map(([subject, list]) => [subject, Object.freeze([...list])] as const)
  return Object.freeze(Object.fromEntries(copies)) as Words
}

/** Looks for each thing; a refusal of the kernel becomes the reason why it is absent. */
export async function probeEach<Name extends string>(checks: Readonly<Record<Name, Check>>): Promise<Probe<Name>> {
  const names = Object.keys(checks) as Name[]
  const found = await Promise.all(names.map(async name => [name, await look(checks[name])] as const))
  return Object.freeze(Object.fromEntries(found)) as Probe<Name>
}

async function look(check: Check): Promise<Availability> {
  try {
    const answer = await check()
    if (typeof answer === 'object') return Object.freeze(answer)
    return Object.freeze(answer === undefined ? { available: true } : { available: true, detail: answer })
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    return Object.freeze(unavailable(error.message, error.hint))
  }
}

/** An answer for what is not there. */
export function unavailable(reason: string, hint?: string): Unavailable {
  return hint === undefined ? { available: false, reason } : { available: false, reason, hint }
}

/** System calls that Linux 5.10 or a filter of the host may lack: number, and the kernel that brought it. */
const calls = {
  pidfd_send_signal: [424, '5.1'],
  open_tree: [428, '5.2'],
  move_mount: [429, '5.2'],
  fsopen: [430, '5.2'],
  fsconfig: [431, '5.2'],
  fsmount: [432, '5.2'],
  fspick: [433, '5.2'],
  pidfd_open: [434, '5.3'],
  clone3: [435, '5.3'],
  close_range: [436, '5.9'],
  openat2: [437, '5.6'],
  pidfd_getfd: [438, '5.6'],
  mount_setattr: [442, '5.12'],
  landlock_create_ruleset: [444, '5.13'],
  statmount: [457, '6.8'],
  listmount: [458, '6.8'],
} as const

export type ProbedCall = keyof typeof calls

const EPERM = 1
const ENOSYS = 38

/** Whether the kernel has a system call and lets this process make it: found by a call that asks for nothing. */
export function probeCall(name: ProbedCall): Availability {
  const [number, version] = calls[name]
  const errno = native.sync.tryCall(number)
  if (errno === ENOSYS) {
    return unavailable(
      `ENOSYS: the kernel has no ${name}, or a seccomp filter hides it`,
      `${name} came with Linux ${version}`,
    )
  }
  if (errno === EPERM) {
    return unavailable(
      `EPERM: ${name} is not permitted`,
      'it wants CAP_SYS_ADMIN, or a seccomp filter around this process refuses it',
    )
  }
  return { available: true }
}

/** The version of Landlock's ABI; 0 where the kernel has none, or it was not switched on at boot. @see landlock(7) */
export const landlockVersion = (): number => Math.max(native.sync.landlockVersion(), 0)

/** Whether this process has a capability in force. @param number - as linux/capability.h has it */
export async function probeCapability(name: string, number: number): Promise<Availability> {
  const mask = statusField(await readText('/proc/self/status'), 'CapEff') ?? '0'
  if ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) return { available: true }
  return unavailable(`${name} is not in this process's effective set (${mask})`, `run it as root, or with ${name}`)
}
