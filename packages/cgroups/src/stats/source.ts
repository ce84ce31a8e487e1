/** A file of a cgroup in the hierarchy of a controller; `''` is the unified one. */
export type StatsFile = readonly [controller: string, file: string]

/** A file's text by its name, `undefined` where it is absent. */
export type Read = (file: string) => string | undefined

export interface Layout {
  readonly version: 1 | 2
  /** The files of v1's cpuset lack the controller's name. */
  readonly noPrefix: boolean
  readonly hugePageSizes: readonly string[]
}

/** Where a controller's numbers are, and what they mean. */
export interface Source<T> {
  /** The controller's names: the first that is mounted has the numbers. */
  readonly controllers: readonly string[]
  readonly files: (layout: Layout) => readonly StatsFile[]
  readonly parse: (read: Read, layout: Layout) => T | undefined
}

export const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** v1 has no word for "no limit": it shows the largest number of whole pages. */
export function limit(text: string | undefined): number | 'max' | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  return Number.isNaN(value) || value >= 2 ** 62 ? 'max' : value
}

/** Lines of `key word word`. */
export function lines(text: string | undefined): string[][] {
  if (text === undefined || text === '') return []
  return text
    .trimEnd()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
}

/** Words of `key=number` by their keys; `max` is a number too. */
export function pairs(words: readonly string[]): Map<string, number | 'max'> {
  return new Map(
    words.flatMap(word => {
      const at = word.indexOf('=')
      const value = word.slice(at + 1)
      return at < 0 ? [] : [[word.slice(0, at), value === 'max' ? value : Number(value)] as const]
    }),
  )
}

/** How long tasks waited for something: shares of the last 10, 60 and 300 s in percent, and all time in microseconds (PSI). */
export interface Stall {
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
  readonly totalUs: number
}

export interface Pressure {
  /** At least one task waited. Of `irq` it is not counted. */
  readonly some?: Stall | undefined
  /** All did, and nothing got done. */
  readonly full?: Stall | undefined
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and a line for `full`, or either alone. `undefined` where the kernel does not count it. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  if (!text) return undefined
  const [some, full] = [stall(SOME.exec(text)), stall(FULL.exec(text))]
  return some === undefined && full === undefined ? undefined : { some, full }
}

const lineOf = (kind: string): RegExp =>
  new RegExp(`^${kind} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) total=(\\d+)`, 'm')
const [SOME, FULL] = [lineOf('some'), lineOf('full')]

const stall = (match: RegExpExecArray | null): Stall | undefined =>
  match === null
    ? undefined
    : { avg10: Number(match[1]), avg60: Number(match[2]), avg300: Number(match[3]), totalUs: Number(match[4]) }
