import { type ContainerContexts, containerContexts } from './container-contexts.js'
import { type Context, formatContext, parseContext } from './context.js'
import { parseLabelOptions } from './label-options.js'
import { ALL_CATEGORIES, type CategoryRun, countCategories, formatLevel, PRIVILEGED, parseRange } from './level.js'
import { getLabel } from './process.js'
import { type ReservationOptions, releaseLevel, reserveLevel, reserveUniqueLevel } from './reservations.js'
import { isEnabled } from './status.js'

export interface InitLabelsOptions extends ReservationOptions {
  /** What the container is: an ordinary one, one whose first process is a manager such as systemd, or a virtual machine. Default: `process`. */
  readonly kind?: 'process' | 'init' | 'kvm' | undefined
  /** The policy's labels for containers. Default: those of {@link containerContexts}. */
  readonly contexts?: ContainerContexts | undefined
}

/** The labels of a container. */
export interface ContainerLabels {
  /** Of its processes; `''` for those that the policy gives. */
  readonly processLabel: string
  /** Of its files and mounts; `''` for those that they have. */
  readonly mountLabel: string
  /** Gives the level back: when the container is gone, or could not be made. */
  release(): Promise<void>
}

const NO_LABELS: ContainerLabels = Object.freeze({ processLabel: '', mountLabel: '', release: async () => {} })

/**
 * The labels of a new container: those of the policy's contexts file, with two categories that no other container has, so that they cannot touch each
 * other's files and processes.
 *
 * @param options - `disable`, `user:`, `role:`, `type:`, `level:`, `filetype:`; a level and a user are of the files, too. A level that is given may be that of
 * other containers: they share files. With `disable` the processes have no label, and the files one that no container's level reaches
 * @returns empty labels where SELinux is off, or the policy has none for containers
 * @throws {ConfigInvalid} for an option that is none
 * @throws {LibcontainerError} `CategoriesExhausted` when all pairs are taken
 */
export async function initLabels(
  options: readonly string[] = [],
  { kind = 'process', contexts, ...reservation }: InitLabelsOptions = {},
): Promise<ContainerLabels> {
  const asked = parseLabelOptions(options)
  if (!(await isEnabled())) return NO_LABELS
  const of = contexts ?? (await containerContexts())
  const label = { process: of.process, init: of.initProcess ?? of.process, kvm: of.kvmProcess ?? of.process }[kind]
  if (asked.disable) return { ...NO_LABELS, mountLabel: privilegedMountLabel(of) }
  if (label === undefined || of.file === undefined) return NO_LABELS
  const processContext = { ...parseContext(label), ...asked.process }
  const fileContext = { ...parseContext(of.file), ...asked.file }
  const level = await chooseLevel(asked.process.level, processContext, reservation)
  return {
    processLabel: formatContext({ ...processContext, level }),
    mountLabel: formatContext({ ...fileContext, level }),
    release: async () => {
      if (level !== undefined) await releaseLevel(level, reservation)
    },
  }
}

/** The level that is asked for, else one of its own; none where the policy has none. */
async function chooseLevel(
  given: string | undefined,
  context: Context,
  reservation: ReservationOptions,
): Promise<string | undefined> {
  if (given !== undefined) await reserveLevel(given, reservation)
  if (given !== undefined || context.level === undefined) return given
  const { sensitivity } = parseRange(context.level).low
  return await reserveUniqueLevel({ sensitivity, categories: await categoriesToGive() }, reservation)
}

/** Those of this process's range: it can give no others. All where it has none, as a policy that does not confine it has it. */
async function categoriesToGive(): Promise<readonly CategoryRun[]> {
  const label = await getLabel()
  const level = label === undefined ? undefined : parseContext(label).level
  const categories = level === undefined ? [] : parseRange(level).high.categories
  return countCategories(categories) < 2 ? ALL_CATEGORIES.categories : categories
}

/** For a container without labels: the last two categories, which an ordinary container seldom has. */
function privilegedMountLabel({ file }: ContainerContexts): string {
  if (file === undefined) return ''
  const context = parseContext(file)
  if (context.level === undefined) return file
  const { sensitivity } = parseRange(context.level).low
  return formatContext({ ...context, level: formatLevel({ sensitivity, categories: PRIVILEGED }) })
}

/** As {@link initLabels}, of a text with blanks between the options. */
export async function genLabels(text: string, options?: InitLabelsOptions): Promise<ContainerLabels> {
  return await initLabels(text.split(/\s+/).filter(Boolean), options)
}

/**
 * Reserves the level of a label, as of a container that is there already: no other gets it. One that is reserved already has two owners then. An empty label,
 * one without a level, and any where SELinux is off, reserve nothing.
 */
export async function reserveLabel(label: string, options: ReservationOptions = {}): Promise<void> {
  const level = await levelOf(label)
  if (level !== undefined) await reserveLevel(level, options)
}

/** Gives the level of a label back; one that this owner does not have is fine. */
export async function releaseLabel(label: string, options: ReservationOptions = {}): Promise<void> {
  const level = await levelOf(label)
  if (level !== undefined) await releaseLevel(level, options)
}

const levelOf = async (label: string): Promise<string | undefined> =>
  label === '' || !(await isEnabled()) ? undefined : parseContext(label).level
