import { LibcontainerError, visibleText } from '@libcontainer/sys'

/**
 * Of what ps(1) prints, the heading and the lines of these processes: those whose field below `PID` is one of them. Pure.
 *
 * @throws {LibcontainerError} where there is no such heading
 */
export function filterProcesses(text: string, pids: readonly number[]): string {
  const [heading = '', ...lines] = text.split('\n')
  const column = heading.trim().split(/\s+/).indexOf('PID')
  if (column < 0)
    throw new LibcontainerError('ERR_USAGE', 'what ps prints has no column PID, by which the processes are told', {
      hint: 'leave the options of ps out, or name pid among its columns: -o pid,cmd',
    })
  const wanted = new Set(pids.map(String))
  const kept = lines.filter(line => wanted.has(line.trim().split(/\s+/)[column] ?? ''))
  // Not every ps(1) hides what a process has put into its name.
  return visibleText(`${[heading, ...kept].join('\n')}\n`)
}

/** What is told of a process where there is no ps(1). */
export interface ProcessRow {
  readonly user: string
  readonly pid: number
  readonly parent: number
  /** Of one processor, in hundredths, over its life. */
  readonly percent: number
  /** When it began, in seconds since 1970. */
  readonly started: number
  readonly terminal: string
  /** Of processors, in seconds. */
  readonly seconds: number
  readonly command: string
}

const two = (value: number): string => String(value).padStart(2, '0')

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The hour for what began within a day, else the day. */
function startText(started: number, now: number): string {
  const date = new Date(started * 1000)
  if (now - started < 86400) return `${two(date.getHours())}:${two(date.getMinutes())}`
  return `${MONTHS[date.getMonth()]}${two(date.getDate())}`
}

const timeText = (seconds: number): string =>
  [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(value => two(Math.floor(value))).join(':')

/** Processes in the columns of `ps -ef`. Pure. @param now - in seconds since 1970 */
export function processTable(rows: readonly ProcessRow[], now: number): string {
  const line = (
    user: string,
    pid: string,
    parent: string,
    c: string,
    start: string,
    tty: string,
    time: string,
  ): string =>
    `${user.padEnd(8)} ${pid.padStart(7)} ${parent.padStart(7)} ${c.padStart(2)} ${start.padStart(5)} ${tty.padEnd(8)} ${time.padStart(8)}`
  return [
    `${line('UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME')} CMD\n`,
    ...rows.map(
      ({ user, pid, parent, percent, started, terminal, seconds, command }) =>
        `${line(user, String(pid), String(parent), String(percent), startText(started, now), terminal, timeText(seconds))} ${command}\n`,
    ),
  ].join('')
}
