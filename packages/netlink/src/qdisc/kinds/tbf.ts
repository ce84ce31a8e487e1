import { ConfigInvalid } from '@libcontainer/sys'
import { checkFields } from '../../link/values.js'
import {
  attributes,
  counter,
  decodeAttributes,
  encodeAttributes,
  struct,
  type UnknownAttribute,
  u32,
} from '../../message/attributes.js'
import { checkInteger, MAX_U32 } from '../../message/words.js'
import { burstBytes, burstTicks, checkRate, rateFields, rateSpec, wideRate } from '../tc-rate.js'
import type { QdiscKind } from './kind.js'

/** A token bucket: nothing passes faster than its rate but a burst. tc-tbf(8). */
export interface TbfOptions {
  rateBytesPerSecond: number
  /** What may pass at once: the size of the bucket. At least the largest packet. It is read to the precision of 64 ns at the rate. */
  burstBytes: number
  /** What may wait, in bytes; else `latencyUs`. */
  limitBytes?: number | undefined
  /** How long a packet may wait at most: another way to say `limitBytes`. It is read as `limitBytes`. */
  latencyUs?: number | undefined
  /** Of a second bucket, which bounds the bursts of the first. More than `rateBytesPerSecond`. */
  peakRateBytesPerSecond?: number | undefined
  /** The size of the second bucket: at least the largest packet. */
  peakBurstBytes?: number | undefined
  /** Bytes around each packet that count, too. Default: 0 */
  overheadBytes?: number | undefined
  /** What a smaller packet counts as. Default: 0 */
  minimumPacketBytes?: number | undefined
  unknown?: readonly UnknownAttribute[] | undefined
}

const parameters = struct({ rate: rateSpec, peakRate: rateSpec, limit: u32, buffer: u32, mtu: u32 })

/** TCA_TBF_*. */
const tbfAttributes = attributes({
  parameters: [1, parameters],
  rate64: [4, counter],
  peakRate64: [5, counter],
  burst: [6, u32],
  peakBurst: [7, u32],
})

const FIELDS: readonly (keyof TbfOptions)[] = [
  'rateBytesPerSecond',
  'burstBytes',
  'limitBytes',
  'latencyUs',
  'peakRateBytesPerSecond',
  'peakBurstBytes',
  'overheadBytes',
  'minimumPacketBytes',
  'unknown',
]

export const tbf: QdiscKind<TbfOptions> = {
  encode(options, field) {
    checkFields(options, FIELDS, `${field}.`)
    const { rateBytesPerSecond: rate, peakRateBytesPerSecond: peak, peakBurstBytes: peakBurst } = options
    const burst = checkInteger(options.burstBytes, `${field}.burstBytes`, 1, MAX_U32)
    checkRate(rate, `${field}.rateBytesPerSecond`)
    if ((peak === undefined) !== (peakBurst === undefined))
      throw new ConfigInvalid(
        `${field}.peakBurstBytes`,
        peakBurst,
        'must be given with peakRateBytesPerSecond, and only then',
      )
    if (peak !== undefined && peak <= rate)
      throw new ConfigInvalid(`${field}.peakRateBytesPerSecond`, peak, 'must be more than rateBytesPerSecond')
    const around = {
      overhead: options.overheadBytes ?? 0,
      mpu: options.minimumPacketBytes ?? 0,
    }
    return encodeAttributes(
      tbfAttributes,
      {
        parameters: {
          rate: { ...rateFields(rate, `${field}.rateBytesPerSecond`), ...around },
          ...(peak !== undefined && {
            peakRate: { ...rateFields(peak, `${field}.peakRateBytesPerSecond`), ...around },
            mtu: burstTicks(
              checkInteger(peakBurst, `${field}.peakBurstBytes`, 1, MAX_U32),
              peak,
              `${field}.peakBurstBytes`,
            ),
          }),
          limit: limitOf(options, field),
          buffer: burstTicks(burst, rate, `${field}.burstBytes`),
        },
        rate64: wideRate(rate),
        peakRate64: wideRate(peak),
        burst,
        peakBurst,
        unknown: options.unknown,
      },
      field,
    )
  },

  decode(bytes) {
    const { parameters, rate64, peakRate64, unknown } = decodeAttributes(tbfAttributes, bytes)
    const rate = rate64 ?? parameters?.rate?.rate ?? 0
    const peak = peakRate64 ?? parameters?.peakRate?.rate ?? 0
    const options: TbfOptions = {
      rateBytesPerSecond: rate,
      burstBytes: burstBytes(parameters?.buffer ?? 0, rate),
      limitBytes: parameters?.limit ?? 0,
    }
    if (peak > 0) {
      options.peakRateBytesPerSecond = peak
      options.peakBurstBytes = burstBytes(parameters?.mtu ?? 0, peak)
    }
    if (parameters?.rate?.overhead) options.overheadBytes = parameters.rate.overhead
    if (parameters?.rate?.mpu) options.minimumPacketBytes = parameters.rate.mpu
    if (unknown !== undefined) options.unknown = unknown
    return options
  },
}

/** What fits the bucket and what waits behind it, as tc(8) reckons it. */
function limitOf(options: TbfOptions, field: string): number {
  const { limitBytes, latencyUs, rateBytesPerSecond: rate, burstBytes: burst } = options
  if ((limitBytes === undefined) === (latencyUs === undefined))
    throw new ConfigInvalid(`${field}.limitBytes`, limitBytes, 'must be given, or else latencyUs: one of the two')
  if (limitBytes !== undefined) return checkInteger(limitBytes, `${field}.limitBytes`, 1, MAX_U32)
  const waiting = (at: number) => (at * latencyUs!) / 1e6
  let limit = waiting(rate) + burst
  if (options.peakRateBytesPerSecond !== undefined)
    limit = Math.min(limit, waiting(options.peakRateBytesPerSecond) + (options.peakBurstBytes ?? 0))
  if (!(latencyUs! >= 0) || limit > MAX_U32)
    throw new ConfigInvalid(`${field}.latencyUs`, latencyUs, `must be a time in which at most ${MAX_U32} bytes pass`)
  return Math.round(limit)
}
