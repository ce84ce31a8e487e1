import { type CapabilitySets, capabilitySets, capabilitySteps } from '@libcontainer/capabilities'
import {
  announceExec,
  ask,
  askWithFiles,
  createdSteps,
  execDescriptor,
  execProgram,
  filterHooks,
  findProgram,
  type LandlockSteps,
  makeWorkingDirectory,
  ownStdio,
  parseResourceLimit,
  resetAffinity,
  resourceLimits,
  setGroups,
  setNoNewPrivileges,
  setParentDeathSignal,
  setResourceLimit,
  setSoftLimit,
  setUmask,
  setUser,
  workingDirectorySteps,
} from '@libcontainer/init'
import { type Arg, openLabelsStep, type Step, slot } from '@libcontainer/sys'
import type { ResourceLimit } from '../config/config.js'
import { DEFAULT_PATH, type ProcessSpec } from '../config/process-spec.js'
import type { Sharing } from '../config/sharing.js'
import { environment, variable } from '../validate/process.js'
import { limitValue } from '../validate/shape.js'

/** What a process has from its container, its own wishes merged in. */
export interface Attributes {
  readonly capabilities: CapabilitySets | readonly string[] | null
  /** By name; `undefined` leaves them. */
  readonly secureBits?: readonly string[] | undefined
  /** The steps that load the filter. */
  readonly seccomp: readonly Step[]
  /** Parameters of its namespaces beside those of the config. */
  readonly sysctl?: readonly Step[] | undefined
  /** What it writes to files of its own in /proc, while they are still root's. */
  readonly procFiles?: readonly Step[] | undefined
  readonly landlock?: LandlockSteps | undefined
  /** What tells the security modules what the program is to be. */
  readonly labels?: Labels | undefined
  /** SELinux's label of what is made for it. */
  readonly mountLabel?: string | undefined
  readonly noNewPrivileges: boolean
  readonly rlimits: readonly ResourceLimit[]
  readonly umask: number
  /** The groups of the parent stay. */
  readonly keepGroups?: boolean | undefined
  /** How it shares processors and disks. */
  readonly sharing: Sharing
  readonly parentDeathSignal: number | undefined
  /** The argv of what is executed in place of the program: the slot `payload`. */
  readonly payload?: readonly string[] | undefined
}

/** What a process tells the security modules, and when. */
export interface Labels {
  /** Around the making of a session keyring: that it is to have the label of the program. */
  readonly keyring?: { readonly before: readonly Step[]; readonly after: readonly Step[] } | undefined
  /** Before the state is saved. */
  readonly early?: readonly Step[] | undefined
  /** After it: as runc does, of whom policies know this order. */
  readonly late?: readonly Step[] | undefined
}

/** What the plan has to know of this host and this call. */
export interface ProcessFacts {
  /** In a user namespace init cannot raise its own limits: the parent sets them. */
  readonly userns: boolean
  /** The highest capability of the kernel. */
  readonly lastCap?: number | undefined
  /** The capabilities that the parent can hand on, a mask: what it lacks is left out. */
  readonly available?: bigint | undefined
  /** The soft limit of open files that this process was started with, before its engine raised it. */
  readonly initialFiles?: bigint | undefined
  /** Stop in the `created` state: the uid, seen from the container, that may say go. */
  readonly waitForStart?: number | undefined
  /** What runs before the program, by its environment: that which is known, and the slot of what an answer adds. */
  readonly startHooks?: ((env: readonly string[], more?: Arg) => Step[]) | undefined
  /** setgroups is denied in the user namespace of an ordinary user. */
  readonly groupsDenied?: boolean | undefined
}

/** The answer that {@link userFiles} wants: what `user-answer.ts` computes. */
export const USER_SLOTS = ['uid', 'gid', 'groups', 'home'] as const
export const userFiles = ['/etc/passwd', '/etc/group']

/** From the jail that stands to the program that runs: the same for a container's first process and for every further one. */
export function processSteps(spec: ProcessSpec, attributes: Attributes, facts: ProcessFacts): Step[] {
  const { args, cwd = '/' } = spec
  const env = environment(spec)
  const { capabilities: sets, landlock, labels } = attributes
  const capabilities = capabilitySteps(sets === null || !isList(sets) ? sets : capabilitySets(sets), {
    lastCap: facts.lastCap,
    available: facts.userns ? undefined : facts.available,
    secureBits: attributes.secureBits,
    // Without no_new_privs both need CAP_SYS_ADMIN; the exec that follows drops it.
    keepSysAdmin: (attributes.seccomp.length > 0 || landlock !== undefined) && !attributes.noNewPrivileges,
  })
  const user = userArgs(spec, env)
  const directory = workingDirectorySteps(cwd)
  const [known, more] = user.lookup ? [withoutHome(env), slot('home')] : [env]
  const hooks = facts.startHooks?.(known, more) ?? []

  return [
    attributes.sharing.affinity ?? resetAffinity,
    ...(facts.userns ? [] : limitSteps(attributes.rlimits, facts.initialFiles)),
    ...(user.lookup ? [askWithFiles('user', 'look the user up in the container’s passwd and group', userFiles)] : []),
    ...(cwd === '/' ? [] : [makeWorkingDirectory(cwd)]),
    // As root, who may look at whatever a rule names.
    ...(landlock?.prepare ?? []),
    setUmask(attributes.umask),
    ...attributes.sharing.steps,
    ...(attributes.procFiles ?? []),
    ownStdio(user.uid),
    directory.beforeUserSwitch,
    ...capabilities.beforeUserSwitch,
    ...(attributes.keepGroups ? [] : [setGroups(user.groups, facts.groupsDenied ? { EPERM: 'skip' } : undefined)]),
    setUser(user.uid, user.gid),
    ...capabilities.afterUserSwitch,
    directory.afterUserSwitch,
    ...(attributes.noNewPrivileges ? [setNoNewPrivileges] : []),
    ...(attributes.parentDeathSignal === undefined
      ? []
      : [setParentDeathSignal(attributes.parentDeathSignal, slot('parent'))]),
    // Of the next exec, be it that of a hook in the container: a profile that is not loaded ends the set-up, not the start.
    ...(labels?.early ?? []),
    ...(attributes.payload === undefined ? [findProgram(args[0]!, variable(env, 'PATH') ?? DEFAULT_PATH)] : []),
    ask('ready', 'wait until the state is saved'),
    ...(labels?.late ?? []),
    ...(facts.waitForStart === undefined ? [] : createdSteps(slot('listener'), facts.waitForStart)),
    ...(landlock?.restrict ?? []),
    // They are programs in the container, run with its rights: behind its filter, too.
    ...(hooks.length === 0 ? [] : attributes.seccomp.map(filterHooks)),
    ...hooks,
    announceExec,
    ...attributes.seccomp,
    attributes.payload === undefined
      ? execProgram(args, known, more)
      : execDescriptor(slot('payload'), attributes.payload, known, more),
  ]
}

/** The session keyring, if any: first of what is labelled, so that the labels' procfs is opened here, while a procfs of its own may be mounted. */
export function keyringSteps(join: readonly Step[], { labels }: Attributes): Step[] {
  if (labels === undefined) return [...join]
  const { before, after } = (join.length > 0 ? labels.keyring : undefined) ?? { before: [], after: [] }
  return [openLabelsStep, ...before, ...join, ...after]
}

/** The answer says it, and it alone: an environment may be larger than an answer. */
const withoutHome = (env: readonly string[]): string[] => env.filter(entry => !entry.startsWith('HOME='))

interface UserArgs {
  readonly lookup: boolean
  readonly uid: Arg
  readonly gid: Arg
  readonly groups: Arg
}

/** Numbers need no look into the container's files when HOME is known too; everything else comes as an answer. */
export function userArgs(spec: ProcessSpec, env: readonly string[]): UserArgs {
  const { user = { uid: 0, gid: 0 }, additionalGroups = [] } = spec
  const numeric = typeof user === 'object' && additionalGroups.every(group => typeof group === 'number')
  if (numeric && variable(env, 'HOME')) {
    return {
      lookup: false,
      uid: user.uid,
      gid: user.gid ?? 0,
      groups: groupBytes(additionalGroups as readonly number[]),
    }
  }
  return { lookup: true, uid: slot('uid'), gid: slot('gid'), groups: slot('groups') }
}

/** Group ids as setgroups(2) takes them. */
export function groupBytes(groups: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(groups).buffer)
}

/** prlimit's numbers of a list of limits; open files as they were before the engine of this process raised its own. */
export function limitNumbers(
  rlimits: readonly ResourceLimit[],
  initialFiles?: bigint,
): { number: number; name: string; soft: bigint; hard?: bigint }[] {
  const limits: { number: number; name: string; soft: bigint; hard?: bigint }[] = rlimits.map((limit, i) => {
    const name = parseResourceLimit(limit.type)!
    const field = `rlimits[${i}]`
    return {
      number: resourceLimits[name]!,
      name,
      soft: limitValue(limit.soft, field),
      hard: limitValue(limit.hard, field),
    }
  })
  if (initialFiles !== undefined && !limits.some(({ name }) => name === 'RLIMIT_NOFILE')) {
    limits.push({ number: resourceLimits.RLIMIT_NOFILE!, name: 'RLIMIT_NOFILE', soft: initialFiles })
  }
  return limits
}

function limitSteps(rlimits: readonly ResourceLimit[], initialFiles: bigint | undefined): Step[] {
  return limitNumbers(rlimits, initialFiles).map(({ number, name, soft, hard }) =>
    hard === undefined ? setSoftLimit(number, name, soft) : setResourceLimit(number, name, soft, hard),
  )
}

const isList = (sets: CapabilitySets | readonly string[]): sets is readonly string[] => Array.isArray(sets)
