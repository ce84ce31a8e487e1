/** A line of CRIU's log. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info'
  /** In seconds since CRIU was started; a log of levels 1 and 2 has none. */
  readonly time: number | undefined
  /** The process of the tree, as it sees itself, whose part was restored there. */
  readonly pid: number | undefined
  /** CRIU's file and line: `criu/files-reg.c:1234`. */
  readonly source: string | undefined
  readonly text: string
}

export interface Log {
  readonly lines: readonly LogLine[]
  /** What went wrong, in order, with nothing said twice. */
  readonly errors: readonly LogLine[]
  /** What CRIU was at when it wrote its first error, or its last line. */
  readonly phase: string | undefined
  /** What it did, each with its start and end in seconds. */
  readonly phases: readonly Phase[]
}

/** A part of the work. */
export interface Phase {
  readonly name: string
  /** In seconds since CRIU was started. */
  readonly start: number
  readonly end: number
}

/** The line with which each part of the work begins. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^Dumping processes \(pid:|^Pre-dumping tasks' memory$|^Pre-dumping processes \(pid:/, 'starting'],
  [/^Collecting namespaces|^freezing processes:|^Seized task \d+, state/, 'freezing processes'],
  [/^Lock network/, 'locking the network'],
  [/^Dumping task \(pid:|^Pre-dumping task \(pid:/, 'dumping processes'],
  [/^Waiting for \d+ to trap|^Dumping zombies/, 'finishing the dump'],
  [/^Unlock network/, 'unlocking the network'],
  [/^(Dumping|Pre-dumping) finished successfully/, 'done'],
  [/^Reading image tree|^Restore(d)? namespaces|^Will restore in/, 'reading images'],
  [/^Restoring namespaces|^Forking task with/, 'making processes'],
  [/^Restoring resources|^Opening \d+ fds|^\tRestoring resources/, 'restoring resources'],
  [/^Wait until namespaces are created/, 'making namespaces'],
  [/^Restore finished successfully/, 'done'],
]

const LINE = /^(?:\((\d+\.\d+)\) )?(?: *(\d+): )?(?:(Error|Warn) +\(([^():]+:\d+)\): )?(.*)$/s

/** Reads CRIU's log, of whatever level. Pure; any text is a log. */
export function parseLog(text: string): Log {
  const lines: LogLine[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, time, pid, level, source, said = ''] = LINE.exec(line)!
    lines.push({
      level: level === 'Error' ? 'error' : level === 'Warn' ? 'warn' : 'info',
      time: time === undefined ? undefined : Number(time),
      pid: pid === undefined ? undefined : Number(pid),
      source,
      text: said,
    })
  }
  const errors = lines.filter(({ level }) => level === 'error')
  const phases = phasesOf(lines)
  const first = errors[0]
  const until = first === undefined ? lines.length : lines.indexOf(first)
  const before = phasesOf(lines.slice(0, until))
  return { lines, errors: withoutTwins(errors), phase: before.at(-1)?.name, phases }
}

function phasesOf(lines: readonly LogLine[]): Phase[] {
  const phases: { name: string; start: number; end: number }[] = []
  for (const { level, time, text } of lines) {
    if (time === undefined) continue
    const name = level === 'info' ? BEGINNINGS.find(([pattern]) => pattern.test(text))?.[1] : undefined
    const last = phases.at(-1)
    if (last !== undefined) last.end = time
    if (name !== undefined && phases.every(phase => phase.name !== name)) phases.push({ name, start: time, end: time })
  }
  return phases.filter(({ name }) => name !== 'done')
}

function withoutTwins(lines: readonly LogLine[]): LogLine[] {
  const seen = new Set<string>()
  return lines.filter(({ text }) => !seen.has(text) && seen.add(text))
}
