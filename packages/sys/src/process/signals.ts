import { ConfigInvalid } from '../errors/errors.js'

/** signal(7), the numbers of x86-64 and arm64. */
const names = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM ' +
  'PROF WINCH IO PWR SYS'
).split(' ')
const RTMIN = 34
const RTMAX = 64

/** The name of a signal: `SIGKILL`, `SIGRTMIN+1`; an unknown number as `SIG<number>`. */
export function signalName(number: number): string {
  const name = names[number - 1]
  if (name !== undefined) return `SIG${name}`
  if (number < RTMIN || number > RTMAX) return `SIG${number}`
  return number === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - RTMIN}`
}

/**
 * The number of a signal given by name (`SIGTERM`, `TERM`, `SIGRTMIN+3`, `SIGRTMAX-1`; any case) or by number, 1 to 64.
 *
 * @throws {ConfigInvalid} for anything else; 0 is no signal
 */
export function signalNumber(signal: string | number, field = 'signal'): number {
  const number = typeof signal === 'string' ? parse(signal.trim().toUpperCase()) : signal
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > RTMAX) {
    throw new ConfigInvalid(field, signal, 'must be a signal of signal(7), by name or by number 1 to 64')
  }
  return number
}

function parse(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  const short = text.replace(/^SIG/, '')
  const index = names.indexOf(short === 'POLL' ? 'IO' : short === 'IOT' ? 'ABRT' : short === 'CLD' ? 'CHLD' : short)
  if (index >= 0) return index + 1
  const real = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(short)
  if (real === null) return undefined
  const number = (real[1] === 'MIN' ? RTMIN : RTMAX) + (real[2] === '-' ? -1 : 1) * Number(real[3] ?? 0)
  return number >= RTMIN ? number : undefined
}
