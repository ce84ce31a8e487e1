import { ConfigInvalid } from '@libcontainer/sys'
import { checkFields } from '../../link/values.js'
import type { UnknownAttribute, ValueOf } from '../../message/attributes.js'
import { messageBody, readBody } from '../../message/message.js'
import { checkInteger, MAX_U32 } from '../../message/words.js'
import { checkRate, percentOf, probability, ticksOfUs, usOfTicks, wideRate } from '../tc-rate.js'
import type { QdiscKind } from './kind.js'
import { netemAttributes, netemParameters, type netemSlot } from './netem-attributes.js'
import { lossValues, type NetemLossModel, readLoss } from './netem-loss.js'

/** Packets leave in bunches, as a radio sends them. */
export interface NetemSlot {
  minDelayUs: number
  maxDelayUs: number
  /** Packets in a slot at most. Default: 0, no limit */
  maxPackets?: number | undefined
  /** Default: 0, no limit */
  maxBytes?: number | undefined
}

/**
 * A line as it is in the world: late, lossy, slow. tc-netem(8). What is not given does not happen. A correlation is how much a packet's luck is that
 * of the one before it, in percent.
 */
export interface NetemOptions {
  /** Default: 0 */
  delayUs?: number | undefined
  /** The delay is more or less by this. Default: 0 */
  jitterUs?: number | undefined
  delayCorrelationPercent?: number | undefined
  /** How the jitter is spread: a table of up to 16384 numbers, 8192 being one standard deviation, as of iproute2's files. It is not read back. */
  distribution?: readonly number[] | undefined
  lossPercent?: number | undefined
  lossCorrelationPercent?: number | undefined
  /** In place of `lossPercent`. */
  lossModel?: NetemLossModel | undefined
  /** Marks packets of connections that know ECN rather than lose them. Default: `false` */
  ecn?: boolean | undefined
  duplicatePercent?: number | undefined
  duplicateCorrelationPercent?: number | undefined
  /** A bit of the packet is wrong. */
  corruptPercent?: number | undefined
  corruptCorrelationPercent?: number | undefined
  /** Packets that are sent at once, ahead of those that are delayed: it needs `delayUs`. */
  reorderPercent?: number | undefined
  reorderCorrelationPercent?: number | undefined
  /** Only each such packet may be reordered. Default: 1 with `reorderPercent` */
  gapPackets?: number | undefined
  rateBytesPerSecond?: number | undefined
  /** Bytes around each packet that count for the rate, too; they may be fewer than none. Default: 0 */
  packetOverheadBytes?: number | undefined
  /** Packets are sent in cells of this size. Default: 0, none */
  cellSizeBytes?: number | undefined
  /** Bytes around each cell. Default: 0 */
  cellOverheadBytes?: number | undefined
  slot?: NetemSlot | undefined
  /** Packets that may be on their way; it has to hold those that the delay holds. Default: 1000 */
  limitPackets?: number | undefined
  /** Of the numbers by which the kernel draws lots: the same seed, the same losses. Linux 6.6. */
  seed?: bigint | undefined
  unknown?: readonly UnknownAttribute[] | undefined
}

const DEFAULT_LIMIT = 1000
const MAX_DELAY_US = 9e12
const MAX_DISTRIBUTION = 16384

const FIELDS: readonly (keyof NetemOptions)[] = [
  'delayUs',
  'jitterUs',
  'delayCorrelationPercent',
  'distribution',
  'lossPercent',
  'lossCorrelationPercent',
  'lossModel',
  'ecn',
  'duplicatePercent',
  'duplicateCorrelationPercent',
  'corruptPercent',
  'corruptCorrelationPercent',
  'reorderPercent',
  'reorderCorrelationPercent',
  'gapPackets',
  'rateBytesPerSecond',
  'packetOverheadBytes',
  'cellSizeBytes',
  'cellOverheadBytes',
  'slot',
  'limitPackets',
  'seed',
  'unknown',
]

export const netem: QdiscKind<NetemOptions> = {
  encode(options, field) {
    checkFields(options, FIELDS, `${field}.`)
    const percent = (name: keyof NetemOptions) =>
      options[name] === undefined ? 0 : probability(options[name] as number, `${field}.${name}`)
    const delay = delayUs(options.delayUs, `${field}.delayUs`)
    const jitter = delayUs(options.jitterUs, `${field}.jitterUs`)
    check(options, field, delay, jitter)
    const header = {
      latency: ticksOfUs(delay),
      limit: checkInteger(options.limitPackets ?? DEFAULT_LIMIT, `${field}.limitPackets`, 1, MAX_U32),
      loss: percent('lossPercent'),
      gap: checkInteger(
        options.gapPackets ?? (options.reorderPercent === undefined ? 0 : 1),
        `${field}.gapPackets`,
        0,
        MAX_U32,
      ),
      duplicate: percent('duplicatePercent'),
      jitter: ticksOfUs(jitter),
    }
    const { rateBytesPerSecond, packetOverheadBytes, cellSizeBytes, cellOverheadBytes, distribution } = options
    const { bytes } = messageBody(
      netemParameters,
      header,
      netemAttributes,
      {
        correlations: {
          delay: percent('delayCorrelationPercent'),
          loss: percent('lossCorrelationPercent'),
          duplicate: percent('duplicateCorrelationPercent'),
        },
        distribution: distribution && distributionBytes(distribution, `${field}.distribution`),
        reorder: { probability: percent('reorderPercent'), correlation: percent('reorderCorrelationPercent') },
        corrupt: { probability: percent('corruptPercent'), correlation: percent('corruptCorrelationPercent') },
        loss: options.lossModel && lossValues(options.lossModel, `${field}.lossModel`),
        rate:
          rateBytesPerSecond === undefined
            ? undefined
            : {
                rate: Math.min(checkRate(rateBytesPerSecond, `${field}.rateBytesPerSecond`), MAX_U32),
                packetOverhead: packetOverheadBytes ?? 0,
                cellSize: cellSizeBytes ?? 0,
                cellOverhead: cellOverheadBytes ?? 0,
              },
        ecn: options.ecn === true ? 1 : undefined,
        rate64: wideRate(rateBytesPerSecond),
        // Ticks end at 274 s, and are of 64 ns.
        latencyNs: nanoseconds(delay),
        jitterNs: nanoseconds(jitter),
        slot: options.slot && {
          minDelay: nanoseconds(delayUs(options.slot.minDelayUs, `${field}.slot.minDelayUs`)),
          maxDelay: nanoseconds(delayUs(options.slot.maxDelayUs, `${field}.slot.maxDelayUs`)),
          maxPackets: options.slot.maxPackets ?? 0,
          maxBytes: options.slot.maxBytes ?? 0,
        },
        seed: options.seed,
        unknown: options.unknown,
      },
      field,
    )
    return bytes
  },

  decode(bytes) {
    const { header, attributes: values } = readBody(netemParameters, netemAttributes, bytes)
    const { latency, limit, loss, gap, duplicate, jitter } = header
    const options: NetemOptions = { limitPackets: limit }
    const put = (name: keyof NetemOptions, value: number | undefined) => {
      if (value !== undefined && value !== 0) Object.assign(options, { [name]: value })
    }
    const share = (name: keyof NetemOptions, value: number | undefined) => put(name, percentOf(value ?? 0))
    put('delayUs', values.latencyNs === undefined ? usOfTicks(latency) : Number(values.latencyNs) / 1000)
    put('jitterUs', values.jitterNs === undefined ? usOfTicks(jitter) : Number(values.jitterNs) / 1000)
    share('delayCorrelationPercent', values.correlations?.delay)
    share('lossPercent', loss)
    share('lossCorrelationPercent', values.correlations?.loss)
    if (values.loss !== undefined) {
      const model = readLoss(values.loss)
      if (model !== undefined) options.lossModel = model
    }
    if (values.ecn !== undefined && values.ecn !== 0) options.ecn = true
    share('duplicatePercent', duplicate)
    share('duplicateCorrelationPercent', values.correlations?.duplicate)
    share('corruptPercent', values.corrupt?.probability)
    share('corruptCorrelationPercent', values.corrupt?.correlation)
    share('reorderPercent', values.reorder?.probability)
    share('reorderCorrelationPercent', values.reorder?.correlation)
    put('gapPackets', gap)
    put('rateBytesPerSecond', values.rate64 ?? values.rate?.rate)
    put('packetOverheadBytes', values.rate?.packetOverhead)
    put('cellSizeBytes', values.rate?.cellSize)
    put('cellOverheadBytes', values.rate?.cellOverhead)
    if (values.slot !== undefined) options.slot = readSlot(values.slot)
    if (values.seed !== undefined) options.seed = values.seed
    if (values.unknown !== undefined) options.unknown = values.unknown
    return options
  },
}

/** What the kernel would not do, or only half. */
function check(options: NetemOptions, field: string, delay: number, jitter: number): void {
  const refuse = (name: keyof NetemOptions, problem: string): never => {
    throw new ConfigInvalid(`${field}.${name}`, options[name], problem)
  }
  if (options.reorderPercent !== undefined && delay === 0)
    refuse('reorderPercent', 'needs delayUs: packets are sent ahead of those that are delayed')
  if (options.gapPackets !== undefined && options.gapPackets !== 0 && options.reorderPercent === undefined)
    refuse('gapPackets', 'needs reorderPercent')
  if (options.distribution !== undefined && jitter === 0) refuse('distribution', 'needs jitterUs, which it spreads')
  if (options.lossModel !== undefined && options.lossPercent !== undefined)
    refuse('lossPercent', 'must not be given with lossModel')
  for (const name of ['packetOverheadBytes', 'cellSizeBytes', 'cellOverheadBytes'] as const)
    if (options[name] !== undefined && options.rateBytesPerSecond === undefined)
      refuse(name, 'needs rateBytesPerSecond')
}

function delayUs(value: number | undefined, field: string): number {
  if (value === undefined) return 0
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_DELAY_US))
    throw new ConfigInvalid(field, value, `must be microseconds from 0 to ${MAX_DELAY_US}`)
  return value
}

const nanoseconds = (us: number): bigint => BigInt(Math.round(us * 1000))
const microseconds = (ns: bigint | undefined): number => Number(ns ?? 0n) / 1000

/** 16 bits each, signed. */
function distributionBytes(numbers: readonly number[], field: string): Uint8Array {
  if (numbers.length === 0 || numbers.length > MAX_DISTRIBUTION)
    throw new ConfigInvalid(field, numbers.length, `must have 1 to ${MAX_DISTRIBUTION} numbers`)
  const table = new Int16Array(numbers.length)
  for (const [at, number] of numbers.entries()) table[at] = checkInteger(number, `${field}[${at}]`, -0x8000, 0x7fff)
  return new Uint8Array(table.buffer)
}

function readSlot({ minDelay, maxDelay, maxPackets, maxBytes }: ValueOf<typeof netemSlot>): NetemSlot {
  const slot: NetemSlot = { minDelayUs: microseconds(minDelay), maxDelayUs: microseconds(maxDelay) }
  if (maxPackets !== undefined && maxPackets !== 0) slot.maxPackets = maxPackets
  if (maxBytes !== undefined && maxBytes !== 0) slot.maxBytes = maxBytes
  return slot
}
