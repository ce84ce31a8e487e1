import { ConfigInvalid } from '@libcontainer/sys'
import { struct, u8, u16, u32, type ValueOf } from '../message/attributes.js'
import { checkInteger, MAX_U32 } from '../message/words.js'

/** struct tc_ratespec of linux/pkt_sched.h. */
export const rateSpec = struct({
  cellLog: u8,
  linkLayer: u8,
  overhead: u16,
  cellAlign: u16,
  mpu: u16,
  rate: u32,
})

/** TC_LINKLAYER_ETHERNET: the kernel reckons how long a packet takes, and needs no table of it. */
const ETHERNET = 1

/** A unit of the kernel's packet scheduler, in which bursts are told: PSCHED_SHIFT is 6, so 64 ns. */
const TICK_NS = 64

/** The fields of a rate. One that does not fit 32 bits is all ones there, and stands in an attribute of 64 bits besides. */
export function rateFields(bytesPerSecond: number, field: string): Partial<ValueOf<typeof rateSpec>> {
  return { linkLayer: ETHERNET, rate: Math.min(checkRate(bytesPerSecond, field), MAX_U32) }
}

/** @throws {ConfigInvalid} that names `field`: a rate of 0 would let nothing pass */
export const checkRate = (bytesPerSecond: number, field: string): number =>
  checkInteger(bytesPerSecond, field, 1, Number.MAX_SAFE_INTEGER)

/** The attribute of 64 bits, where the rate needs it. */
export const wideRate = (bytesPerSecond: number | undefined): number | undefined =>
  bytesPerSecond !== undefined && bytesPerSecond > MAX_U32 ? bytesPerSecond : undefined

/** How long bytes take at a rate. */
export const ticksOfBytes = (bytes: number, bytesPerSecond: number): number =>
  Math.round((bytes * 1e9) / bytesPerSecond / TICK_NS)

/** {@link ticksOfBytes} of a burst. @throws {ConfigInvalid} that names `field` for more than 274 s, which the kernel's field cannot hold */
export function burstTicks(bytes: number, bytesPerSecond: number, field: string): number {
  const ticks = ticksOfBytes(bytes, bytesPerSecond)
  if (ticks > MAX_U32)
    throw new ConfigInvalid(field, bytes, `must be what ${bytesPerSecond} bytes a second let pass in 274 s at most`)
  return ticks
}

/** What passes in such a time: {@link burstTicks} the other way, to the precision of a tick. */
export const burstBytes = (ticks: number, bytesPerSecond: number): number =>
  Math.round((ticks * TICK_NS * bytesPerSecond) / 1e9)

/** Microseconds as the kernel's scheduler counts, at most what fits. */
export const ticksOfUs = (us: number): number => Math.min(Math.round((us * 1000) / TICK_NS), MAX_U32)
export const usOfTicks = (ticks: number): number => (ticks * TICK_NS) / 1000

/** A share of 100 as the kernel has it: all ones are all. */
export function probability(percent: number, field: string): number {
  if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100))
    throw new ConfigInvalid(field, percent, 'must be a number from 0 to 100')
  return Math.round((percent / 100) * MAX_U32)
}

/** To seven digits behind the point, which is what the kernel's number tells apart: 0.1 is read as it was written. */
export const percentOf = (probability: number): number => Number(((probability / MAX_U32) * 100).toFixed(7))
