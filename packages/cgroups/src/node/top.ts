import { parseArgs } from 'node:util'
import { ConfigInvalid, visibleJson } from '@libcontainer/sys'
import type { Cgroup } from '../cgroup.js'
import { Screen } from './screen.js'
import { openTop, type Row, rowsOf, type Sample, type SortKey, sortKeys, sortRows, takeSample } from './top-rows.js'
import { renderTable } from './top-table.js'
import { UsageError } from './usage-error.js'
import { parseCount, parseDuration } from './words.js'

export interface TopRequest {
  readonly where: string
  readonly interval: number
  readonly sort: SortKey
  readonly depth: number
  readonly all: boolean
  readonly json: boolean
  readonly once: boolean
  readonly help: boolean
}

/** What `top` was asked for. Pure. */
export function parseTop(words: readonly string[]): TopRequest {
  const { values, positionals } = parse(words)
  const { sort = 'cpu' } = values
  if (positionals.length > 1) throw new UsageError('there is one PATH at most')
  if (!isSortKey(sort)) throw new ConfigInvalid('--sort', sort, `must be one of ${sortKeys.join(', ')}`)
  const depth = values.depth === undefined ? 'max' : parseCount('--depth', values.depth)
  return {
    where: positionals[0] ?? '/',
    interval: parseDuration('--interval', values.interval ?? (values.once ? '500ms' : '2s')),
    sort,
    depth: depth === 'max' ? Number.POSITIVE_INFINITY : depth,
    all: values.all ?? false,
    json: values.json ?? false,
    once: values.once ?? false,
    help: values.help ?? false,
  }
}

const isSortKey = (text: string): text is SortKey => (sortKeys as readonly string[]).includes(text)

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        interval: { type: 'string', short: 'i' },
        sort: { type: 'string', short: 's' },
        depth: { type: 'string', short: 'd' },
        all: { type: 'boolean', short: 'a' },
        json: { type: 'boolean' },
        once: { type: 'boolean', short: '1' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** `top`: what the cgroups of a tree use, until it is told to end. */
export async function top(request: TopRequest): Promise<number> {
  const group = await openTop(request.where)
  let ended = 0
  const end = new AbortController()
  const stop = (code: number) => (): void => {
    ended = code
    end.abort()
  }
  const signals = { SIGINT: stop(130), SIGTERM: stop(143), SIGHUP: stop(129), SIGQUIT: stop(131) }
  for (const [name, listener] of Object.entries(signals)) process.on(name, listener)
  // Whoever reads has read enough.
  process.stdout.on('error', stop(0))
  try {
    const isLive = process.stdout.isTTY && !request.json && !request.once
    await (isLive ? showLive(group, request, end) : printEach(group, request, end.signal))
    return ended
  } finally {
    for (const [name, listener] of Object.entries(signals)) process.off(name, listener)
  }
}

const noColor = (): boolean => !process.stdout.isTTY || Boolean(process.env.NO_COLOR) || process.env.TERM === 'dumb'

async function printEach(group: Cgroup, request: TopRequest, end: AbortSignal): Promise<void> {
  const { interval, depth, json, once, sort } = request
  const width = process.stdout.columns || 120
  for (let before = await takeSample(group, depth); await pause(interval, end); ) {
    const after = await takeSample(group, depth)
    const rows = sortRows(rowsOf(before, after, request), sort)
    const lines = json
      ? [visibleJson(JSON.stringify({ time: new Date().toISOString(), cgroups: rows }))]
      : renderTable(rows, { width, color: !noColor(), sort })
    process.stdout.write(`${lines.join('\n')}\n${json || once ? '' : '\n'}`)
    if (once) return
    before = after
  }
}

const keys: Readonly<Record<string, SortKey>> = {
  c: 'cpu',
  m: 'memory',
  p: 'pids',
  i: 'io',
  s: 'pressure',
  o: 'oom',
  n: 'path',
}
const KEYS = 'q quit   sort by: c cpu  m memory  p pids  i io  s pressure  o oom  n name   a all'

async function showLive(group: Cgroup, request: TopRequest, end: AbortController): Promise<void> {
  let { sort, all } = request
  let before: Sample | undefined
  let after = await takeSample(group, request.depth)
  const screen = new Screen(key => {
    if (key === 'q') end.abort()
    else if (key === 'a') all = !all
    else if (Object.hasOwn(keys, key)) sort = keys[key]!
    draw()
  })
  const draw = (): void => {
    const { width, height } = screen.size
    // The first look has nothing before it: it shows what is used, and no rates.
    const rows: Row[] = sortRows(rowsOf(before ?? after, after, { all }), sort)
    const table = renderTable(rows, { width, height: height - 2, color: !noColor(), sort })
    const told = `${group.host.mode}  ${rows.length} of ${after.groups.size} cgroups  ${KEYS}`
    screen.draw([told.slice(0, width), ...table])
  }
  try {
    draw()
    while (await pause(request.interval, end.signal)) {
      before = after
      after = await takeSample(group, request.depth)
      draw()
    }
  } finally {
    screen[Symbol.dispose]()
  }
}

/** Whether to go on. */
function pause(ms: number, end: AbortSignal): Promise<boolean> {
  return new Promise(resolve => {
    if (end.aborted) return resolve(false)
    const done = (goOn: boolean) => (): void => {
      clearTimeout(timer)
      end.removeEventListener('abort', stop)
      resolve(goOn)
    }
    const stop = done(false)
    const timer = setTimeout(done(true), ms)
    end.addEventListener('abort', stop, { once: true })
  })
}
