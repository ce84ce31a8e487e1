import { ConfigInvalid } from '@libcontainer/sys'
import type { Limit } from './amount.js'

const MIN_SHARES = 2
const MAX_SHARES = 262144
const MAX_WEIGHT = 10000

/**
 * `cpu.weight` for v1's `cpu.shares`, by the quadratic formula of 2025 that takes default to default (1024 → 100) and both ends to
 * both ends (2 → 1, 262144 → 10000). 0, for "not given", stays 0.
 */
export function weightFromShares(shares: number): number {
  if (shares === 0) return 0
  if (shares <= MIN_SHARES) return 1
  if (shares >= MAX_SHARES) return MAX_WEIGHT
  const log = Math.log2(shares)
  // Rounded to 1e-9 first: 1024 gives 100.00000000000001.
  return Math.ceil(Number((10 ** ((log * log + 125 * log) / 612 - 7 / 34)).toFixed(9)))
}

/** The older linear formula, by which 1024 becomes 39. */
export function linearWeightFromShares(shares: number): number {
  if (shares === 0) return 0
  const bounded = Math.min(Math.max(shares, MIN_SHARES), MAX_SHARES)
  return 1 + Math.floor(((bounded - MIN_SHARES) * (MAX_WEIGHT - 1)) / (MAX_SHARES - MIN_SHARES))
}

/** `cpu.shares` for a `cpu.weight`: the other way round, so that {@link weightFromShares} answers the weight again. */
export function sharesFromWeight(weight: number): number {
  if (weight === 0) return 0
  const c = 612 * (Math.log10(Math.min(Math.max(weight, 1), MAX_WEIGHT)) + 7 / 34)
  const log = (Math.sqrt(125 * 125 + 4 * c) - 125) / 2
  return Math.min(Math.max(Math.floor(2 ** log + 1e-6), MIN_SHARES), MAX_SHARES)
}

/**
 * `memory.swap.max` for v1's limit of memory and swap together.
 *
 * @param max - the limit of memory alone, which must be known: v2 counts swap for itself
 */
export function swapFromMemsw(max: Limit | undefined, memsw: Limit): Limit {
  if (memsw === 'max') return 'max'
  if (max === undefined) throw new ConfigInvalid('memory.memswMax', memsw, 'needs memory.max: it is the sum of both')
  if (max === 'max') return memsw
  if (memsw < max)
    throw new ConfigInvalid('memory.memswMax', memsw, `is below memory.max (${max}), which is a part of it`)
  return BigInt(memsw) - BigInt(max)
}

const MIN_BLKIO_WEIGHT = 10
const MAX_BLKIO_WEIGHT = 1000

/** `io.weight` for v1's `blkio.weight`: linear, 10 → 1 and 1000 → 10000. 0, for "not given", stays 0. */
export function ioWeightFromBlkio(weight: number): number {
  if (weight === 0) return 0
  const bounded = Math.min(Math.max(weight, MIN_BLKIO_WEIGHT), MAX_BLKIO_WEIGHT)
  const span = MAX_BLKIO_WEIGHT - MIN_BLKIO_WEIGHT
  return 1 + Math.floor(((bounded - MIN_BLKIO_WEIGHT) * (MAX_WEIGHT - 1)) / span)
}

/**
 * The weight of the scheduler BFQ, 1 to 1000, for an `io.weight`, 1 to 10000. Both have the default 100, which stays; above it the
 * range shrinks to a tenth.
 */
export function bfqWeightFromIo(weight: number): number {
  if (weight <= 100) return weight
  return 100 + Math.floor(((Math.min(weight, MAX_WEIGHT) - 100) * 900) / (MAX_WEIGHT - 100))
}
