import { attributes, bytes, counter, nested, s32, s64, struct, u32, u64 } from '../../message/attributes.js'

/** struct tc_netem_qopt, ahead of the attributes. Delays are in ticks here. */
export const netemParameters = struct(
  { latency: u32, limit: u32, loss: u32, gap: u32, duplicate: u32, jitter: u32 },
  { whole: true },
)
const correlations = struct({ delay: u32, loss: u32, duplicate: u32 })
const chance = struct({ probability: u32, correlation: u32 })
const rate = struct({ rate: u32, packetOverhead: s32, cellSize: u32, cellOverhead: s32 })
export const netemSlot = struct({
  minDelay: s64,
  maxDelay: s64,
  maxPackets: s32,
  maxBytes: s32,
  distDelay: s64,
  distJitter: s64,
})

/** NETEM_LOSS_*. */
export const lossAttributes = attributes({
  states: [1, struct({ p13: u32, p31: u32, p32: u32, p14: u32, p23: u32 })],
  gilbert: [2, struct({ p: u32, r: u32, h: u32, k1: u32 })],
})

/** TCA_NETEM_*. */
export const netemAttributes = attributes({
  correlations: [1, correlations],
  distribution: [2, bytes],
  reorder: [3, chance],
  corrupt: [4, chance],
  loss: [5, nested(lossAttributes)],
  rate: [6, rate],
  ecn: [7, u32],
  rate64: [8, counter],
  latencyNs: [10, s64],
  jitterNs: [11, s64],
  slot: [12, netemSlot],
  seed: [14, u64],
})
