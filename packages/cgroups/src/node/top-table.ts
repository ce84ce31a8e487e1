import { type Row, type SortKey, shownName } from './top-rows.js'
import { formatSize } from './words.js'

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number
  /** Rows at most, with the heading. */
  readonly height?: number | undefined
  readonly color: boolean
  readonly sort: SortKey
}

const BAR = 10
const LEAST_NAME = 16

interface Column {
  readonly title: string
  readonly sort?: SortKey
  readonly width: number
  readonly text: (row: Row) => string
  readonly color?: (row: Row) => number | undefined
}

const RED = 31
const YELLOW = 33
const CYAN = 36

/** What a measure is worth looking at from. */
const alarm = (value: number | undefined, warn: number, bad: number): number | undefined =>
  value === undefined || value < warn ? undefined : value < bad ? YELLOW : RED

const rate = (value: number | undefined): string => (value === undefined ? '-' : value < 1 ? '0' : formatSize(value))
const percent = (value: number | undefined): string =>
  value === undefined ? '-' : value.toFixed(value < 99.95 ? 1 : 0)

function fraction({ memory, memoryMax }: Row): number | undefined {
  if (memory === undefined || memoryMax === undefined || memoryMax === 'max') return undefined
  return memoryMax === 0 ? 1 : Math.min(1, memory / memoryMax)
}

/** How full it is, in eighths of a letter; without a limit nothing. Pure. */
export function bar(part: number | undefined, width = BAR): string {
  if (part === undefined) return ' '.repeat(width)
  const eighths = Math.round(part * width * 8)
  const full = Math.floor(eighths / 8)
  const rest = eighths % 8
  const text = '█'.repeat(full) + (rest === 0 ? '' : String.fromCharCode(0x2590 - rest))
  return text.padEnd(width, '·')
}

function memoryText(row: Row): string {
  const { memory, memoryMax } = row
  if (memory === undefined) return `${bar(undefined)} ${'-'.padStart(5)}`.padEnd(BAR + 12)
  const max = memoryMax === undefined || memoryMax === 'max' ? '' : formatSize(memoryMax)
  return `${bar(fraction(row))} ${formatSize(memory).padStart(5)}${max === '' ? '' : `/${max}`}`.padEnd(BAR + 12)
}

const pressures = ({ cpuPressure, memoryPressure, ioPressure }: Row): (number | undefined)[] => [
  cpuPressure,
  memoryPressure,
  ioPressure,
]

const columns: readonly Column[] = [
  { title: 'CPU%', sort: 'cpu', width: 6, text: ({ cpu }) => percent(cpu), color: ({ cpu }) => alarm(cpu, 80, 400) },
  {
    title: 'MEMORY'.padEnd(BAR + 12),
    sort: 'memory',
    width: BAR + 12,
    text: memoryText,
    color: row => alarm(fraction(row), 0.75, 0.9),
  },
  {
    title: 'PIDS',
    sort: 'pids',
    width: 11,
    text: ({ pids, pidsMax }) =>
      pids === undefined ? '-' : pidsMax === undefined || pidsMax === 'max' ? String(pids) : `${pids}/${pidsMax}`,
    color: ({ pids, pidsMax }) => (typeof pidsMax === 'number' ? alarm((pids ?? 0) / pidsMax, 0.75, 0.9) : undefined),
  },
  { title: 'READ/s', sort: 'io', width: 6, text: ({ readRate }) => rate(readRate) },
  { title: 'WRITE/s', sort: 'io', width: 7, text: ({ writeRate }) => rate(writeRate) },
  {
    title: 'PSI c/m/i',
    sort: 'pressure',
    width: 11,
    text: row =>
      pressures(row).every(one => one === undefined)
        ? '-'
        : pressures(row)
            .map(one => one?.toFixed(0) ?? '-')
            .join('/'),
    color: row => alarm(Math.max(...pressures(row).map(one => one ?? 0)), 10, 40),
  },
  {
    title: 'OOM',
    sort: 'oom',
    width: 5,
    text: ({ oomKills }) => String(oomKills ?? '-'),
    color: ({ oomKills }) => alarm(oomKills, 1, 1),
  },
]

/** The table, as lines. Pure. */
export function renderTable(rows: readonly Row[], { width, height, color, sort }: TableOptions): string[] {
  const paint = (text: string, code: number | undefined): string =>
    color && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text
  const shown = [...columns]
  // What there is no room for is left out from the end, but memory stays.
  const taken = (): number => shown.reduce((total, one) => total + one.width + 1, 0)
  while (shown.length > 2 && width - taken() < LEAST_NAME) shown.splice(shown.length - 1, 1)
  const nameWidth = Math.max(LEAST_NAME, Math.min(width - taken(), longest(rows)))
  const line = (name: string, cells: readonly string[]): string => [name, ...cells].join(' ').trimEnd()
  const heading = line(
    paint(fit('CGROUP', nameWidth), sort === 'path' ? CYAN : undefined),
    shown.map(({ title, width, sort: key }) => paint(title.padStart(width), key === sort ? CYAN : undefined)),
  )
  const body = rows.slice(0, height === undefined ? undefined : Math.max(0, height - 1)).map(row =>
    line(
      fit(shownName(row.path), nameWidth),
      shown.map(({ text, width, color }) => paint(text(row).padStart(width), color?.(row))),
    ),
  )
  return [heading, ...body]
}

const longest = (rows: readonly Row[]): number => Math.max(0, ...rows.map(({ path }) => shownName(path).length))

/** The end of a long path tells more than its beginning. */
const fit = (name: string, width: number): string =>
  name.length <= width ? name.padEnd(width) : `…${name.slice(name.length - width + 1)}`
