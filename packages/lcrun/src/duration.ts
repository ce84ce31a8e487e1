import { ConfigInvalid } from '@libcontainer/sys'

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** The longest that a timer of either engine can be set to. */
const LONGEST = 2 ** 31 - 1

/**
 * A length of time such as `5s`, `1m30s` or `250ms`, in milliseconds. Pure.
 *
 * @throws {ConfigInvalid} for what is none, and for one that is not above 0
 */
export function parseDuration(field: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.replace(/^\+/, ''))
    throw new ConfigInvalid(field, text, 'must be a length of time above 0, such as 5s, 1m30s or 250ms')
  const ms = parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0)
  if (!(ms > 0)) throw new ConfigInvalid(field, text, 'must be above 0')
  if (ms > LONGEST) throw new ConfigInvalid(field, text, 'must be below 25 days')
  return Math.max(1, Math.round(ms))
}
