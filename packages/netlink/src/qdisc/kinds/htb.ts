import { ConfigInvalid } from '@libcontainer/sys'
import { checkFields } from '../../link/values.js'
import {
  attributes,
  counter,
  decodeAttributes,
  encodeAttributes,
  flag,
  struct,
  type UnknownAttribute,
  u32,
} from '../../message/attributes.js'
import { checkInteger, MAX_U16, MAX_U32 } from '../../message/words.js'
import { burstBytes, burstTicks, checkRate, rateFields, rateSpec, ticksOfBytes, wideRate } from '../tc-rate.js'
import type { QdiscKind } from './kind.js'

/** Classes in a tree, which lend each other what they do not use: tc-htb(8). */
export interface HtbOptions {
  /** The class of packets that no filter has a class for: the number behind the colon, 0x10 for `1:10`. Default: 0, they pass unshaped */
  defaultMinor?: number | undefined
  /** What a class's rate is divided by for its quantum. Default: 10 */
  rateToQuantum?: number | undefined
  /** Packets that may wait without a class. Default: that of the device's own queue */
  directQueueLength?: number | undefined
  offload?: boolean | undefined
  unknown?: readonly UnknownAttribute[] | undefined
}

/** A class of such a tree. */
export interface HtbClassOptions {
  /** What it has for certain. */
  rateBytesPerSecond: number
  /** What it may use where others leave it. Default: `rateBytesPerSecond` */
  ceilBytesPerSecond?: number | undefined
  /** What may pass at once. It is read to the precision of 64 ns at the rate. Default: a packet and what the rate is in a nanosecond, as of tc(8) */
  burstBytes?: number | undefined
  /** What may pass at once of what others leave. Default: likewise */
  ceilBurstBytes?: number | undefined
  /** Classes of a lower number are offered first what is left. 0 to 7. Default: 0 */
  priority?: number | undefined
  /** What it sends in its turn. Default: the rate divided by the discipline's `rateToQuantum` */
  quantumBytes?: number | undefined
  /** Bytes around each packet that count, too. Default: 0 */
  overheadBytes?: number | undefined
  /** What a smaller packet counts as. Default: 0 */
  minimumPacketBytes?: number | undefined
  unknown?: readonly UnknownAttribute[] | undefined
}

/** struct tc_htb_glob and struct tc_htb_opt. */
const parameters = struct({ version: u32, rateToQuantum: u32, defaultMinor: u32, debug: u32, directPackets: u32 })
const classParameters = struct({
  rate: rateSpec,
  ceil: rateSpec,
  buffer: u32,
  ceilBuffer: u32,
  quantum: u32,
  level: u32,
  priority: u32,
})

/** TCA_HTB_*. */
const htbAttributes = attributes({
  classParameters: [1, classParameters],
  parameters: [2, parameters],
  directQueueLength: [5, u32],
  rate64: [6, counter],
  ceil64: [7, counter],
  offload: [9, flag],
})

const VERSION = 3
const RATE_TO_QUANTUM = 10
/** As of tc(8): an Ethernet packet and what may be around it. */
const PACKET = 1600
const MAX_PRIORITY = 7

export const htb: QdiscKind<HtbOptions> = {
  encode: ({ defaultMinor = 0, rateToQuantum = RATE_TO_QUANTUM, ...options }, field) =>
    encodeAttributes(
      htbAttributes,
      {
        parameters: {
          version: VERSION,
          rateToQuantum: checkInteger(rateToQuantum, `${field}.rateToQuantum`, 1, MAX_U32),
          defaultMinor: checkInteger(defaultMinor, `${field}.defaultMinor`, 0, MAX_U16),
        },
        ...options,
      },
      field,
    ),

  decode(bytes) {
    const { parameters, directQueueLength, offload, unknown } = decodeAttributes(htbAttributes, bytes)
    const options: HtbOptions = {
      defaultMinor: parameters?.defaultMinor ?? 0,
      rateToQuantum: parameters?.rateToQuantum ?? 0,
    }
    if (directQueueLength !== undefined) options.directQueueLength = directQueueLength
    if (offload === true) options.offload = true
    if (unknown !== undefined) options.unknown = unknown
    return options
  },
}

const CLASS_FIELDS: readonly (keyof HtbClassOptions)[] = [
  'rateBytesPerSecond',
  'ceilBytesPerSecond',
  'burstBytes',
  'ceilBurstBytes',
  'priority',
  'quantumBytes',
  'overheadBytes',
  'minimumPacketBytes',
  'unknown',
]

export const htbClass: QdiscKind<HtbClassOptions> = {
  encode(options, field) {
    checkFields(options, CLASS_FIELDS, `${field}.`)
    const rate = checkRate(options.rateBytesPerSecond, `${field}.rateBytesPerSecond`)
    const ceil = checkRate(options.ceilBytesPerSecond ?? rate, `${field}.ceilBytesPerSecond`)
    if (ceil < rate)
      throw new ConfigInvalid(`${field}.ceilBytesPerSecond`, ceil, 'must not be less than rateBytesPerSecond')
    const burst = (name: 'burstBytes' | 'ceilBurstBytes', speed: number) => {
      const bytes = options[name]
      if (bytes === undefined) return Math.min(ticksOfBytes(PACKET + Math.floor(speed / 1e9), speed), MAX_U32)
      return burstTicks(checkInteger(bytes, `${field}.${name}`, 1, MAX_U32), speed, `${field}.${name}`)
    }
    const around = { overhead: options.overheadBytes ?? 0, mpu: options.minimumPacketBytes ?? 0 }
    return encodeAttributes(
      htbAttributes,
      {
        classParameters: {
          rate: { ...rateFields(rate, `${field}.rateBytesPerSecond`), ...around },
          ceil: { ...rateFields(ceil, `${field}.ceilBytesPerSecond`), ...around },
          buffer: burst('burstBytes', rate),
          ceilBuffer: burst('ceilBurstBytes', ceil),
          quantum: options.quantumBytes ?? 0,
          priority: checkInteger(options.priority ?? 0, `${field}.priority`, 0, MAX_PRIORITY),
        },
        rate64: wideRate(rate),
        ceil64: wideRate(ceil),
        unknown: options.unknown,
      },
      field,
    )
  },

  decode(bytes) {
    const { classParameters, rate64, ceil64, unknown } = decodeAttributes(htbAttributes, bytes)
    const rate = rate64 ?? classParameters?.rate?.rate ?? 0
    const ceil = ceil64 ?? classParameters?.ceil?.rate ?? 0
    const options: HtbClassOptions = {
      rateBytesPerSecond: rate,
      ceilBytesPerSecond: ceil,
      burstBytes: burstBytes(classParameters?.buffer ?? 0, rate),
      ceilBurstBytes: burstBytes(classParameters?.ceilBuffer ?? 0, ceil),
      priority: classParameters?.priority ?? 0,
      quantumBytes: classParameters?.quantum ?? 0,
    }
    if (classParameters?.rate?.overhead) options.overheadBytes = classParameters.rate.overhead
    if (classParameters?.rate?.mpu) options.minimumPacketBytes = classParameters.rate.mpu
    if (unknown !== undefined) options.unknown = unknown
    return options
  },
}
