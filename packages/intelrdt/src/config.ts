import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { mergeSchemata, parseSchema, type Schema } from './schemata.js'

/** The class of a container: how much of the caches and of the way to memory its processes get, and whether what they use is counted apart. */
export interface IntelRdt {
  /** The group that it joins, `/` for that of the whole machine. Default: one of its own, called as the container, which goes with it. */
  readonly closId?: string | undefined
  /** Of the group's `schemata` file, a line each; these count before the next two. */
  readonly schemata?: readonly string[] | undefined
  /** `L3:0=7f0;1=1f`: by the id of the cache, a mask in hexadecimal digits. */
  readonly l3CacheSchema?: string | undefined
  /** `MB:0=20;1=70`: by the id of the cache, percent, or MB/s where resctrl is mounted with `mba_MBps`. */
  readonly memBwSchema?: string | undefined
  /** Counts in a monitoring group of its own. Default: false. */
  readonly enableMonitoring?: boolean | undefined
}

const FIELDS: Readonly<Record<keyof IntelRdt, true>> = {
  closId: true,
  schemata: true,
  l3CacheSchema: true,
  memBwSchema: true,
  enableMonitoring: true,
}

/** Directories of a group that are no groups. */
const OTHERS = ['info', 'mon_data', 'mon_groups']

/** A name in resctrl: that of a directory. @throws {ConfigInvalid} */
export function checkClosId(name: unknown, field: string): asserts name is string {
  const text = kernelString(name as string, field)
  if (text === '/') return
  const bad = text === '' || text === '.' || text === '..' || /[/\n]/.test(text) || encodeUtf8(text).length > 255
  if (bad) throw new ConfigInvalid(field, text, 'must be the name of a directory of resctrl, or / for its root')
  if (OTHERS.includes(text))
    throw new ConfigInvalid(field, text, `must be the name of a group: resctrl has ${OTHERS.join(', ')} for itself`)
}

/** The part that needs no kernel: pure. @throws {ConfigInvalid} naming the first field that cannot be */
export function checkIntelRdt(value: unknown, field: string): asserts value is IntelRdt {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, 'must be an object')
  for (const [key, other] of Object.entries(value)) {
    if (!Object.hasOwn(FIELDS, key))
      throw new ConfigInvalid(`${field}.${key}`, other, `must be one of ${Object.keys(FIELDS).join(', ')}`)
  }
  const { closId, schemata, enableMonitoring } = value as Readonly<Record<keyof IntelRdt, unknown>>
  if (closId !== undefined) checkClosId(closId, `${field}.closId`)
  if (schemata !== undefined && !Array.isArray(schemata))
    throw new ConfigInvalid(`${field}.schemata`, schemata, 'must be a list of lines')
  if (enableMonitoring !== undefined && typeof enableMonitoring !== 'boolean')
    throw new ConfigInvalid(`${field}.enableMonitoring`, enableMonitoring, 'must be true or false')
  schemataOf(value as IntelRdt, field)
}

/** The group of a container, by its path below resctrl: `''` is the root. @throws {ConfigInvalid} where its id can be none */
export function groupOf({ closId }: IntelRdt, id: string, field = 'intelRdt'): string {
  if (closId !== undefined) return closId === '/' ? '' : closId
  try {
    checkClosId(id, field)
  } catch (cause) {
    throw new ConfigInvalid(`${field}.closId`, id, 'must be given: the id of the container is no name for a group', {
      cause,
    })
  }
  return id
}

/** All that is asked for, one schema for each resource: cache, bandwidth, and then the lines, which count before both. @throws {ConfigInvalid} */
export function schemataOf({ l3CacheSchema, memBwSchema, schemata = [] }: IntelRdt, field = 'intelRdt'): Schema[] {
  const of = (line: string | undefined, place: string, resources: readonly string[]): Schema[] => {
    if (line === undefined) return []
    const schema = parseSchema(line, `${field}.${place}`)
    if (!resources.includes(schema.resource))
      throw new ConfigInvalid(`${field}.${place}`, line, `must begin with ${resources.join(':, ')}:`, {
        hint: `what is of another resource goes into ${field}.schemata`,
      })
    return [schema]
  }
  return mergeSchemata([
    ...of(l3CacheSchema, 'l3CacheSchema', ['L3', 'L3CODE', 'L3DATA']),
    ...of(memBwSchema, 'memBwSchema', ['MB']),
    ...schemata.map((line, i) => parseSchema(line, `${field}.schemata[${i}]`)),
  ])
}
