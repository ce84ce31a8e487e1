import { type Layout, lines, type Pressure, pairs, parsePressure, type Read, type Source } from './source.js'

/** What was read from disks and written to them. */
export interface IoStats {
  readonly devices: readonly IoDeviceStats[]
  /** v1's tables, as the kernel has them. */
  readonly tables?: BlkioTables | undefined
  readonly pressure?: Pressure | undefined
}

/** Of one disk: bytes and requests, as `io.stat` has them. */
export interface IoDeviceStats {
  readonly major: number
  readonly minor: number
  readonly rbytes: number
  readonly wbytes: number
  readonly rios: number
  readonly wios: number
  /** What was discarded. */
  readonly dbytes?: number | undefined
  readonly dios?: number | undefined
  /** What else `io.stat` tells: `cost.usage` and others of the cost model, in microseconds. */
  readonly more?: ReadonlyMap<string, number> | undefined
}

/** A line of a table of v1: `8:0 Read 4096`; `op` is `''` where there is only one number. */
export interface BlkioEntry {
  readonly major: number
  readonly minor: number
  readonly op: string
  readonly value: number
}

/** With what is below. Those that this kernel does not count are empty. */
export interface BlkioTables {
  readonly serviceBytes: readonly BlkioEntry[]
  readonly serviced: readonly BlkioEntry[]
  readonly queued: readonly BlkioEntry[]
  readonly serviceTime: readonly BlkioEntry[]
  readonly waitTime: readonly BlkioEntry[]
  readonly merged: readonly BlkioEntry[]
  readonly time: readonly BlkioEntry[]
  readonly sectors: readonly BlkioEntry[]
}

const TABLES = {
  serviceBytes: 'io_service_bytes_recursive',
  serviced: 'io_serviced_recursive',
  queued: 'io_queued_recursive',
  serviceTime: 'io_service_time_recursive',
  waitTime: 'io_wait_time_recursive',
  merged: 'io_merged_recursive',
  time: 'time_recursive',
  sectors: 'sectors_recursive',
} as const

const THROTTLE = ['serviceBytes', 'serviced'] as const

const FILES1 = [
  ...Object.values(TABLES).map(table => `blkio.bfq.${table}`),
  ...THROTTLE.map(table => `blkio.throttle.${TABLES[table]}`),
]

export const ioSource: Source<IoStats> = {
  controllers: ['blkio', 'io', ''],
  files: ({ version }: Layout) => [
    ...(version === 1 ? FILES1.map(file => ['blkio', file] as const) : ([['io', 'io.stat']] as const)),
    ['', 'io.pressure'],
  ],
  parse: (read, { version }) => {
    const pressure = parsePressure(read('io.pressure'))
    const tables = version === 1 ? blkioTables(read) : undefined
    const stat = version === 2 ? read('io.stat') : undefined
    if (tables === undefined && stat === undefined && pressure === undefined) return undefined
    return { devices: tables === undefined ? parseIoStat(stat ?? '') : devicesOf(tables), tables, pressure }
  },
}

function blkioTables(read: Read): BlkioTables | undefined {
  const tables: { -readonly [K in keyof BlkioTables]: BlkioEntry[] } = {
    serviceBytes: [],
    serviced: [],
    queued: [],
    serviceTime: [],
    waitTime: [],
    merged: [],
    time: [],
    sectors: [],
  }
  if (read(`blkio.throttle.${TABLES.serviced}`) === undefined && read(`blkio.bfq.${TABLES.serviced}`) === undefined) {
    return undefined
  }
  for (const [name, file] of Object.entries(TABLES) as [keyof BlkioTables, string][]) {
    tables[name] = parseTable(read(`blkio.bfq.${file}`))
  }
  // BFQ counts what goes through it; where it schedules nothing the throttle counts all.
  if (tables.serviced.length === 0) {
    for (const name of THROTTLE) tables[name] = parseTable(read(`blkio.throttle.${TABLES[name]}`))
  }
  return tables
}

/** `8:0 Read 4096`, `8:0 4096`, and a last line `Total 4096`, which is left out. */
export function parseTable(text: string | undefined): BlkioEntry[] {
  if (text === undefined || text.startsWith('Total')) return []
  return lines(text).flatMap(([device = '', ...words]) => {
    const [major, minor] = device.split(':')
    if (minor === undefined) return []
    return [
      {
        major: Number(major),
        minor: Number(minor),
        op: words.length > 1 ? words[0]! : '',
        value: Number(words.at(-1)),
      },
    ]
  })
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The same in v2's words. */
function devicesOf({ serviceBytes, serviced }: BlkioTables): IoDeviceStats[] {
  const devices = new Map<string, Mutable<IoDeviceStats>>()
  const add = (
    entries: readonly BlkioEntry[],
    fields: Readonly<Record<string, keyof IoDeviceStats & string>>,
  ): void => {
    for (const { major, minor, op, value } of entries) {
      const key = `${major}:${minor}`
      const device = devices.get(key) ?? { major, minor, rbytes: 0, wbytes: 0, rios: 0, wios: 0 }
      devices.set(key, device)
      const field = fields[op] as 'rbytes' | undefined
      if (field !== undefined) device[field] = value
    }
  }
  add(serviceBytes, { Read: 'rbytes', Write: 'wbytes', Discard: 'dbytes' })
  add(serviced, { Read: 'rios', Write: 'wios', Discard: 'dios' })
  return [...devices.values()]
}

const KNOWN: readonly string[] = ['rbytes', 'wbytes', 'rios', 'wios', 'dbytes', 'dios']

const DEVICE = /^\d+:\d+$/

/**
 * `8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0`. Some kernels begin a line by disks that have no numbers, and do not end
 * it: the numbers are the last one's.
 */
export function parseIoStat(text: string): IoDeviceStats[] {
  return lines(text).flatMap(words => {
    const [major, minor] =
      words
        .findLast(word => DEVICE.test(word))
        ?.split(':')
        .map(Number) ?? []
    const values = pairs(words) as Map<string, number>
    if (minor === undefined || values.size === 0) return []
    const get = (key: string): number => values.get(key) ?? 0
    const more = [...values].filter(([key]) => !KNOWN.includes(key))
    return [
      {
        major: major!,
        minor,
        rbytes: get('rbytes'),
        wbytes: get('wbytes'),
        rios: get('rios'),
        wios: get('wios'),
        dbytes: values.get('dbytes'),
        dios: values.get('dios'),
        more: more.length === 0 ? undefined : new Map(more),
      },
    ]
  })
}
