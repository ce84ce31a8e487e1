import {
  checkIntelRdt,
  checkOffered,
  claimGroup,
  containerGroup,
  type GroupPlan,
  type IntelRdt,
  parseSchema,
  planGroup,
  type RdtStats,
  Resctrl,
  type ResctrlOptions,
  releaseGroup,
  type Schema,
  schemataOf,
  statsOf,
} from '@libcontainer/intelrdt'
import {
  ConfigInvalid,
  isErrno,
  LibcontainerError,
  parseJson,
  readTextIfPresent,
  removeFile,
  stringifyJson,
  writeText,
} from '@libcontainer/sys'
import type { ResolvedConfig } from '../config/resolve.js'
import { CLASS_FILE, type ClassChange } from './class.js'

/* The class of a container: its groups of resctrl. */

/** Whose class it is, and where resctrl is. */
export interface ClassRequest {
  readonly id: string
  /** Of its state. */
  readonly directory: string
  readonly config: Pick<ResolvedConfig, 'intelRdt'>
  readonly drivers: { readonly resctrl?: ResctrlOptions | undefined }
}

/** The groups that a container's processes join. Close it. */
export interface JoinableClass {
  /** For its state. */
  readonly paths: { readonly intel_rdt_path: string; readonly intel_rdt_mon_path?: string | undefined }
  /** Puts a process there that has one thread yet: what that starts is there, too. */
  join(pid: number): Promise<void>
  close(): void
}

/** @throws {ConfigInvalid} where resctrl is not mounted */
async function withResctrl<T>(
  intelRdt: IntelRdt,
  options: ResctrlOptions | undefined,
  work: (resctrl: Resctrl) => Promise<T>,
): Promise<T> {
  const resctrl = await openResctrl(intelRdt, options)
  try {
    return await work(resctrl)
  } finally {
    resctrl.close()
  }
}

async function openResctrl(intelRdt: IntelRdt, options: ResctrlOptions | undefined): Promise<Resctrl> {
  try {
    return await Resctrl.open(options)
  } catch (error) {
    if (!(error instanceof LibcontainerError) || error.code !== 'ERR_UNSUPPORTED') throw error
    const { hint = '', message } = error
    throw new ConfigInvalid('intelRdt', intelRdt, `cannot be had: ${message}`, { cause: error, hint })
  }
}

/** What of a class this host does not have. */
export async function classProblem(intelRdt: IntelRdt): Promise<ConfigInvalid | undefined> {
  try {
    await withResctrl(intelRdt, undefined, async resctrl => checkOffered(intelRdt, await resctrl.info()))
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error
  }
}

/** Makes sure that a container can have its class; makes nothing. @throws {ConfigInvalid} */
export async function confirmClass(id: string, intelRdt: IntelRdt, options: ResctrlOptions | undefined): Promise<void> {
  await withResctrl(intelRdt, options, resctrl => planGroup(resctrl, id, intelRdt))
}

/** What {@link CLASS_FILE} says. */
interface ClassRecord {
  readonly closId?: string | undefined
  readonly own: readonly ('group' | 'monGroup')[]
}

/** Makes what of a container's class is not there. When it fails, nothing of it is left. */
export async function claimClass({ id, directory, drivers }: ClassRequest, intelRdt: IntelRdt): Promise<JoinableClass> {
  const resctrl = await openResctrl(intelRdt, drivers.resctrl)
  const record = async ({ own, group }: GroupPlan): Promise<void> => {
    if (own.length === 0) return
    const names = own.map(each => (each === group ? 'group' : 'monGroup'))
    const text = stringifyJson({ closId: intelRdt.closId, own: names } satisfies ClassRecord)
    await writeText(`${directory}/${CLASS_FILE}`, text, { mode: 0o600 })
  }
  try {
    await claimGroup(resctrl, id, intelRdt, { record })
    return joinable(resctrl, id, intelRdt)
  } catch (error) {
    resctrl.close()
    // What there is now is somebody else's.
    await removeFile(`${directory}/${CLASS_FILE}`)
    throw error
  }
}

/** The class of a container that runs. */
export async function openClass({ id, drivers }: ClassRequest, intelRdt: IntelRdt): Promise<JoinableClass> {
  return joinable(await openResctrl(intelRdt, drivers.resctrl), id, intelRdt)
}

function joinable(resctrl: Resctrl, id: string, intelRdt: IntelRdt): JoinableClass {
  const { group, monGroup } = containerGroup(resctrl, id, intelRdt)
  return {
    paths: { intel_rdt_path: group.path, intel_rdt_mon_path: monGroup?.path },
    join: async pid => {
      await group.add(pid)
      // After the group that it counts in: it takes tasks of that one alone.
      await monGroup?.add(pid)
    },
    close: () => resctrl.close(),
  }
}

/** Removes the groups that were made for a container; none is fine. */
export async function releaseClass({ id, directory, drivers }: Omit<ClassRequest, 'config'>): Promise<void> {
  const record = await recordedClass(directory)
  if (record === undefined) return
  const { closId, own } = record
  try {
    await withResctrl({}, drivers.resctrl, async resctrl => {
      const groups = containerGroup(resctrl, id, { closId, enableMonitoring: true })
      await releaseGroup(
        [groups.group, groups.monGroup!].filter((_, i) => own.includes(i === 0 ? 'group' : 'monGroup')),
      )
    })
  } catch (error) {
    // Unmounting resctrl has removed them.
    if (!(error instanceof ConfigInvalid) || error.field !== 'intelRdt') throw error
  }
  await removeFile(`${directory}/${CLASS_FILE}`)
}

async function recordedClass(directory: string): Promise<ClassRecord | undefined> {
  const text = await readTextIfPresent(`${directory}/${CLASS_FILE}`)
  try {
    const record = parseJson(text ?? 'null') as ClassRecord | null
    return Array.isArray(record?.own) ? record! : undefined
  } catch (error) {
    // It was being written: nothing was made yet.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What a container's class is and uses; `undefined` where it has none, or where its groups are gone. */
export async function classStats({ id, drivers }: ClassRequest, intelRdt: IntelRdt): Promise<RdtStats | undefined> {
  try {
    return await withResctrl(intelRdt, drivers.resctrl, resctrl => statsOf(resctrl, id, intelRdt))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** The class with other schemata: what is not given stays. Pure. */
function changedClass(before: IntelRdt | undefined, change: IntelRdt): IntelRdt {
  if (before === undefined)
    throw new ConfigInvalid('intelRdt', change, 'cannot be changed: the container was made without it')
  for (const name of ['closId', 'enableMonitoring'] as const) {
    if (change[name] !== undefined && change[name] !== before[name])
      throw new ConfigInvalid(`intelRdt.${name}`, change[name], 'cannot change while the container lives')
  }
  if (before.closId === '/')
    throw new ConfigInvalid('intelRdt', change, 'cannot be changed: its class is that of the whole machine')
  const changed = new Set(schemataOf(change).map(({ resource }) => resource))
  const kept = (before.schemata ?? []).filter(line => !changed.has(parseSchema(line, 'schemata').resource))
  const schemata = [...kept, ...(change.schemata ?? [])]
  return { ...before, ...change, ...(schemata.length > 0 || before.schemata !== undefined ? { schemata } : {}) }
}

/** @throws {ConfigInvalid} for what is no matter of change */
export async function changeOfClass({ id, config, drivers }: ClassRequest, change: IntelRdt): Promise<ClassChange> {
  checkIntelRdt(change, 'intelRdt')
  const intelRdt = changedClass(config.intelRdt, change)
  const wanted = schemataOf(change)
  const set = async (schemata: readonly Schema[]): Promise<void> =>
    await withResctrl(intelRdt, drivers.resctrl, resctrl =>
      containerGroup(resctrl, id, intelRdt).group.setSchemata(schemata),
    )
  const before = await withResctrl(intelRdt, drivers.resctrl, async resctrl => {
    checkOffered(change, await resctrl.info())
    const all = await containerGroup(resctrl, id, intelRdt).group.schemata()
    return all.filter(({ resource }) => wanted.some(schema => schema.resource === resource))
  })
  return {
    intelRdt,
    make: async () => {
      await set(wanted)
      return () => set(before)
    },
  }
}
