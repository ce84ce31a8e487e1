import {
  askStep,
  ConfigInvalid,
  cloneAgainStep,
  type OwnedFd,
  type Preparation,
  type Program,
  type Step,
} from '@libcontainer/sys'
import { checkNamespaces } from './check.js'
import { userSteps } from './enter.js'
import { openNamespaceFd } from './inspect.js'
import { type NamespaceKind, namespaceKinds } from './kinds.js'
import { type NamespacePlan, planNamespaces } from './plan.js'
import { checkProgram, type ProgramOptions } from './program.js'
import type { Namespace } from './set.js'
import { applyInChild, startProgram } from './start.js'
import { hideMemoryStep, mountOwnProcStep, PROPAGATIONS, type Propagation, propagateMountsStep } from './steps.js'
import { hasTimeOffsets } from './time-offsets.js'
import { checkPath, type NamespacesConfig, validateNamespaces } from './validate.js'
import { mapWriter, writeIdMaps, writeTimeOffsets } from './write-maps.js'

/** Namespaces for a program: a kind alone is made new, one with a path is joined. */
export interface UnshareConfig extends Omit<NamespacesConfig, 'namespaces'> {
  readonly namespaces: readonly (NamespaceKind | Namespace)[]
  /** Of all mounts in a new mount namespace. Default: `private`, so that no mount inside is seen outside. */
  readonly propagation?: Propagation | 'unchanged' | undefined
  /** Mounts a proc of the new pid namespace there, in a new mount namespace. Default: none. */
  readonly proc?: string | undefined
}

/**
 * Runs a program in new namespaces, like unshare(1). This process stays where it is. The first process of a new pid namespace is the program.
 *
 * Who lacks CAP_SYS_ADMIN gets a user namespace, too; one without maps has such a user as its root, alone.
 *
 * @returns when the program runs
 * @throws {ConfigInvalid} for a bad request, before anything is made
 * @throws {SyscallError} with the step that was refused, and its remedy; nothing is left of the child
 */
export async function unshare(
  config: UnshareConfig,
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  checkProgram(argv, options)
  return await startProgram(await prepare(config, options), argv, options)
}

/**
 * Makes namespaces in which no process is left: they live as long as the descriptors that this answers, or until they are pinned (`pinNamespace`).
 *
 * @param config - kinds to be made, but not `pid`: without its first process nobody can be born in it
 */
export async function makeNamespaces(
  config: Omit<UnshareConfig, 'proc'>,
  { signal }: Pick<ProgramOptions, 'signal'> = {},
): Promise<Map<NamespaceKind, OwnedFd>> {
  const kinds = new Set(entriesOf(config).flatMap(({ kind, path }) => (path === undefined ? [kind] : [])))
  if (kinds.has('pid')) {
    throw new ConfigInvalid('namespaces', 'pid', 'cannot be made without a process in it', {
      hint: 'start its first process with unshare(), and keep that',
    })
  }
  const fds = new Map<NamespaceKind, OwnedFd>()
  const { steps, answers = [], ...rest } = await prepare(config, {}, false)
  const open = async (pid: number): Promise<void> => {
    for (const kind of kinds)
      fds.set(kind, await openNamespaceFd(`/proc/${pid}/ns/${kind === 'time' ? 'time_for_children' : kind}`, kind))
  }
  try {
    await applyInChild(
      { ...rest, steps: [...steps, askStep(answers.length, 'be held by descriptors')], answers: [...answers, open] },
      signal,
    )
    return fds
  } catch (error) {
    for (const fd of fds.values()) fd.close()
    throw error
  }
}

/** A list that is none, and what is wrong with its entries, is told by `validateNamespaces`. */
function entriesOf({ namespaces }: UnshareConfig): readonly Namespace[] {
  if (!Array.isArray(namespaces)) return namespaces as readonly Namespace[]
  return namespaces.map(each => (typeof each === 'string' ? { kind: each as NamespaceKind } : each))
}

async function prepare(given: UnshareConfig, options: ProgramOptions, born = true): Promise<Preparation> {
  const config = await withUserNamespace({ ...given, namespaces: entriesOf(given) })
  const set = validateNamespaces(config)
  const { propagation = 'private', proc } = config
  if (propagation !== 'unchanged' && !PROPAGATIONS.includes(propagation))
    throw new ConfigInvalid('propagation', propagation, `must be one of ${PROPAGATIONS.join(', ')}, unchanged`)
  if (proc !== undefined) {
    checkPath(proc, 'proc')
    for (const kind of ['mnt', 'pid'] as const)
      if (!set.isPrivate(kind)) throw new ConfigInvalid('proc', proc, `needs a new namespace of kind '${kind}'`)
  }
  await checkNamespaces(config)
  const plan = planNamespaces(config)
  const mounts: Step[] = [
    ...(set.isPrivate('mnt') && propagation !== 'unchanged' ? [propagateMountsStep(propagation)] : []),
    ...(proc === undefined ? [] : [mountOwnProcStep(proc)]),
  ]
  const joins = namespaceKinds.some(kind => set.isJoined(kind))
  return {
    cloneFlags: plan.cloneFlags,
    steps: stepsOf(plan, { joins, born, mounts, identity: userSteps(options.user, false) }),
    answers: [
      async pid => await writeIdMaps(pid, { uid: config.uidMappings ?? [], gid: config.gidMappings ?? [] }),
      async pid => {
        if (hasTimeOffsets(config.timeOffsets)) await writeTimeOffsets(pid, config.timeOffsets)
      },
    ],
  }
}

/** The numbers of the answers in `prepare`. */
const MAPS = 0
const CLOCKS = 1

interface Surroundings {
  readonly joins: boolean
  readonly born: boolean
  readonly mounts: readonly Step[]
  readonly identity: readonly Step[]
}

/** Pure. */
function stepsOf(plan: NamespacePlan, { joins, born, mounts, identity }: Surroundings): Step[] {
  // An ordinary user may not write the maps of a process that hides its memory.
  const hide = joins ? [hideMemoryStep()] : []
  return [
    ...(plan.needsMaps ? [] : hide),
    ...plan.enter,
    ...(plan.needsMaps ? [askStep(MAPS, 'wait for the id maps'), ...hide] : []),
    ...(plan.become.length === 0 ? [] : userSteps(undefined, true)),
    ...plan.create,
    ...plan.late,
    ...(plan.offsetsByParent ? [askStep(CLOCKS, 'wait for the clocks')] : []),
    ...(plan.needsSecondClone && born ? [cloneAgainStep()] : []),
    ...mounts,
    ...identity,
  ]
}

const CAP_SYS_ADMIN = 21n

/** What an ordinary user has to ask for, too. */
async function withUserNamespace<Config extends NamespacesConfig>(config: Config): Promise<Config> {
  const { namespaces, uidMappings, gidMappings } = config
  if (!Array.isArray(namespaces)) return config
  const writer = await mapWriter()
  if ((writer.effective >> CAP_SYS_ADMIN) & 1n) return config
  const user = namespaces.find(each => each?.kind === 'user')
  if (user?.path !== undefined || uidMappings !== undefined || gidMappings !== undefined) return config
  const own = (hostId: number) => [{ containerId: 0, hostId, size: 1 }]
  return {
    ...config,
    namespaces: user === undefined ? [{ kind: 'user' }, ...namespaces] : namespaces,
    uidMappings: own(writer.euid),
    gidMappings: own(writer.egid),
  }
}
