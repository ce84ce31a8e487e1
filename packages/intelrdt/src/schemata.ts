import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** What a class may have of one resource: a line of a `schemata` file. */
export interface Schema {
  /** `L3`, `L3CODE`, `L3DATA`, `L2`, …, `MB`, `SMBA`: what the kernel calls it below `info`. */
  readonly resource: string
  /** By the id of the cache: of caches a mask of their ways, of bandwidth a percentage, or what else the mount's options make its unit. */
  readonly domains: Readonly<Record<number, number>>
}

/** The kernel writes and reads masks of caches in hexadecimal digits, all else in decimal ones. */
const isCache = (resource: string): boolean => /^L\d/.test(resource)

/** Values are u32 in the kernel. */
const MAX_VALUE = 0xffff_ffff

/**
 * Reads a line as somebody writes it, such as `L3:0=7f0;1=1f`.
 *
 * @throws {ConfigInvalid} for what the kernel would refuse on every machine
 */
export function parseSchema(line: string, field: string): Schema {
  kernelString(line, field)
  if (line.includes('\n')) throw new ConfigInvalid(field, line, 'must be one line: a newline would begin another')
  const colon = line.indexOf(':')
  const resource = line.slice(0, Math.max(0, colon)).trim()
  if (!/^[A-Z][A-Z0-9_]*$/.test(resource))
    throw new ConfigInvalid(field, line, 'must name a resource, a colon, and what each domain may have: L3:0=ff;1=f')
  const domains: Record<number, number> = {}
  // The last one may end with a semicolon, too.
  for (const part of line
    .slice(colon + 1)
    .trim()
    .replace(/;$/, '')
    .split(';')) {
    const [id, value] = parsePart(part, resource) ?? []
    if (id === undefined || value === undefined)
      throw new ConfigInvalid(
        field,
        line,
        `must have <id>=<${isCache(resource) ? 'hexadecimal mask' : 'number'}> for each domain, not ${JSON.stringify(part)}`,
      )
    if (Object.hasOwn(domains, id)) throw new ConfigInvalid(field, line, `must name domain ${id} once`)
    domains[id] = value
  }
  return { resource, domains }
}

/** The numbers of `0=7f0`; the kernel lets spaces stand around both, and pads its own with them. */
function parsePart(part: string, resource: string): [id: number, value: number] | undefined {
  const match = (isCache(resource) ? /^\s*(\d{1,10})\s*=\s*(?:0x)?([0-9a-f]{1,8})\s*$/i : DECIMAL).exec(part)
  if (match === null) return undefined
  const value = Number.parseInt(match[2]!, isCache(resource) ? 16 : 10)
  return value > MAX_VALUE ? undefined : [Number(match[1]), value]
}

const DECIMAL = /^\s*(\d{1,10})\s*=\s*(\d{1,10})\s*$/

/** Reads a `schemata` file of the kernel. What is no schema, such as that of a group that is being pseudo-locked, is left out. */
export function parseSchemata(text: string): Schema[] {
  return text.split('\n').flatMap(line => {
    try {
      return line.trim() === '' ? [] : [parseSchema(line, 'schemata')]
    } catch {
      return []
    }
  })
}

/** Lines as the kernel takes them, each ended by a newline: what is written in one go. */
export function formatSchemata(schemata: readonly Schema[]): string {
  return schemata
    .map(({ resource, domains }) => {
      const radix = isCache(resource) ? 16 : 10
      const parts = Object.entries(domains).map(([id, value]) => `${id}=${value.toString(radix)}`)
      return `${resource}:${parts.join(';')}\n`
    })
    .join('')
}

/** One schema for each resource, later words for a domain in place of earlier ones: the kernel refuses a domain that is named twice in a write. */
export function mergeSchemata(schemata: readonly Schema[]): Schema[] {
  const all = new Map<string, Schema>()
  for (const { resource, domains } of schemata) {
    all.set(resource, { resource, domains: { ...all.get(resource)?.domains, ...domains } })
  }
  return [...all.values()]
}

/**
 * What of `wanted` a group does not have; `undefined` when it has all of it. Numbers are compared, not text.
 *
 * @param granularity - of bandwidth, by resource: the kernel rounds what it is asked for up to a multiple of it
 */
export function schemataProblem(
  wanted: readonly Schema[],
  existing: readonly Schema[],
  granularity: Readonly<Record<string, number>> = {},
): string | undefined {
  for (const { resource, domains } of wanted) {
    const has = existing.find(schema => schema.resource === resource)?.domains ?? {}
    const step = granularity[resource] ?? 1
    for (const [id, value] of Object.entries(domains)) {
      const found = has[Number(id)]
      if (found === value || found === Math.ceil(value / step) * step) continue
      const [line] = formatSchemata([{ resource, domains: { [id]: found ?? 0 } }]).split('\n')
      return found === undefined ? `it has no domain ${id} of ${resource}` : `it has ${line}`
    }
  }
  return undefined
}
