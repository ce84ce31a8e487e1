import { ConfigInvalid } from '@libcontainer/sys'

/** What a clock of a time namespace is ahead of the host's; `secs` may be negative. */
export interface TimeOffset {
  readonly secs?: number | bigint | undefined
  /** 0 to 999999999; it counts forward, also when `secs` is negative. */
  readonly nanosecs?: number | undefined
}

/** The clocks that a time namespace has of its own: time_namespaces(7). */
export interface TimeOffsets {
  readonly monotonic?: TimeOffset | undefined
  readonly boottime?: TimeOffset | undefined
}

export const CLOCKS: readonly string[] = ['monotonic', 'boottime']
const MAX_SECS = 2n ** 63n - 1n

/** Refuses other clocks and numbers that the kernel cannot hold. */
export function checkTimeOffsets(offsets: TimeOffsets, field: string): void {
  checkObject(offsets, field)
  for (const [clock, offset] of Object.entries(offsets as Record<string, TimeOffset | undefined>)) {
    if (!CLOCKS.includes(clock))
      throw new ConfigInvalid(field, clock, 'a time namespace has only the clocks monotonic and boottime')
    if (offset === undefined) continue
    checkObject(offset, `${field}.${clock}`)
    const { secs = 0, nanosecs = 0, ...others } = offset
    for (const [name, value] of Object.entries(others)) {
      throw new ConfigInvalid(`${field}.${clock}.${name}`, value, 'must be one of secs, nanosecs')
    }
    const whole = typeof secs === 'bigint' || Number.isSafeInteger(secs)
    if (!whole || BigInt(secs) > MAX_SECS || BigInt(secs) < -MAX_SECS - 1n) {
      throw new ConfigInvalid(`${field}.${clock}.secs`, secs, 'must be a 64-bit integer (a bigint beyond 2^53)')
    }
    if (!Number.isInteger(nanosecs) || nanosecs < 0 || nanosecs > 999_999_999) {
      throw new ConfigInvalid(`${field}.${clock}.nanosecs`, nanosecs, 'must be an integer from 0 to 999999999')
    }
  }
}

function checkObject(value: object, field: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, 'must be an object')
}

/** Whether any clock is moved: offsets of nothing need no write. */
export function hasTimeOffsets(offsets: TimeOffsets | undefined): offsets is TimeOffsets {
  return offsets !== undefined && (offsets.monotonic !== undefined || offsets.boottime !== undefined)
}

/** The text for /proc/<pid>/timens_offsets. */
export function timeOffsetsText(offsets: TimeOffsets): string {
  const line = (clock: string, offset: TimeOffset | undefined): string =>
    offset === undefined ? '' : `${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`
  return line('monotonic', offsets.monotonic) + line('boottime', offsets.boottime)
}
