import { ConfigInvalid } from '@libcontainer/sys'
import { type Amount, type Checks, checkAmount, checkFields, type Limit } from './amount.js'

/** Limits of block devices: `io` of v2, `blkio` of v1. A field that is not given leaves its file alone. */
export interface IoLimits {
  /** `io.weight`, 1 to 10000, 100 by default. Where only the scheduler BFQ has weights (v1 always), converted to its own. */
  weight?: number | undefined
  /** v1's `blkio.weight`, 10 to 1000. On v2 it is the weight of BFQ, or converted to `io.weight` where there is none. */
  blkioWeight?: number | undefined
  /** v1's `blkio.leaf_weight`, of the scheduler CFQ, which Linux 5.0 no longer has. */
  leafWeight?: number | undefined
  /** `io.prio.class` (v1: `blkio.prio.class`). Linux 5.14. */
  prioClass?: 'no-change' | 'promote-to-rt' | 'restrict-to-be' | 'idle' | undefined
  /** Limits of single disks. */
  devices?: readonly IoDeviceLimits[] | undefined
}

/** Limits of one disk; a partition has none of its own. */
export interface IoDeviceLimits {
  readonly major: number
  readonly minor: number
  /** As {@link IoLimits.weight}. */
  weight?: number | undefined
  /** As {@link IoLimits.blkioWeight}. */
  blkioWeight?: number | undefined
  /** As {@link IoLimits.leafWeight}. */
  leafWeight?: number | undefined
  /** Bytes that may be read in a second (`io.max`; v1: `blkio.throttle.read_bps_device`). */
  rbps?: Limit | undefined
  /** Bytes that may be written in a second. */
  wbps?: Limit | undefined
  /** Reads in a second. */
  riops?: Limit | undefined
  /** Writes in a second. */
  wiops?: Limit | undefined
  /** `io.latency`: others are held back when requests take longer than this, in microseconds; 0 for no target. v2 only. */
  latencyUs?: Amount | undefined
}

const PRIORITIES: readonly unknown[] = ['no-change', 'promote-to-rt', 'restrict-to-be', 'idle']
const DEVICE_NUMBER = 2 ** 20 - 1

const weight = (field: string, value: unknown): void => checkAmount(field, value, 1, 10000)
const blkioWeight = (field: string, value: unknown): void => checkAmount(field, value, 10, 1000)
const deviceNumber = (field: string, value: unknown): void => checkAmount(field, value, 0, DEVICE_NUMBER)

/** 0 is no rate: v2 refuses it, and v1 takes it for "no limit". */
function rate(field: string, value: unknown): void {
  if (value !== 'max') checkAmount(field, value, 1)
}

const deviceChecks: Checks<IoDeviceLimits> = {
  major: deviceNumber,
  minor: deviceNumber,
  weight,
  blkioWeight,
  leafWeight: blkioWeight,
  rbps: rate,
  wbps: rate,
  riops: rate,
  wiops: rate,
  latencyUs: (field, value) => checkAmount(field, value),
}

export const ioChecks: Checks<IoLimits> = {
  weight,
  blkioWeight,
  leafWeight: blkioWeight,
  prioClass: (field, value) => {
    if (!PRIORITIES.includes(value)) throw new ConfigInvalid(field, value, `must be one of ${PRIORITIES.join(', ')}`)
  },
  devices: (field, value) => {
    if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list of limits of disks')
    for (const [i, limits] of value.entries()) checkDevice(`${field}[${i}]`, limits as IoDeviceLimits)
  },
}

function checkDevice(at: string, limits: IoDeviceLimits): void {
  checkFields(at, limits, deviceChecks)
  const { major, minor, ...rest } = limits
  deviceNumber(`${at}.major`, major)
  deviceNumber(`${at}.minor`, minor)
  if (Object.values(rest).every(value => value === undefined)) {
    throw new ConfigInvalid(at, limits, 'limits nothing: give a weight or a rate')
  }
}
