import { ConfigInvalid } from '@libcontainer/sys'

/** The highest major number of the kernel: 12 bits. */
export const MAX_MAJOR = 0xfff
/** The highest minor number of the kernel: 20 bits. */
export const MAX_MINOR = 0xfffff

/**
 * A device number as mknod(2) takes it and st_rdev shows it: makedev(3).
 *
 * @throws {ConfigInvalid} for numbers beyond the kernel's 12 and 20 bits, and for a wildcard
 */
export function mkdev(majorNumber: number, minorNumber: number): bigint {
  const high = BigInt(checkNumber(majorNumber, MAX_MAJOR, 'major'))
  const low = BigInt(checkNumber(minorNumber, MAX_MINOR, 'minor'))
  return (low & 0xffn) | (high << 8n) | ((low & ~0xffn) << 12n)
}

/** The major number in a dev_t of 64 bits: major(3). */
export function major(dev: number | bigint): number {
  const value = BigInt(dev)
  return Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n))
}

/** The minor number in a dev_t of 64 bits: minor(3). */
export function minor(dev: number | bigint): number {
  const value = BigInt(dev)
  return Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n))
}

export function checkNumber(value: unknown, highest: number, field: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highest) return value
  const wildcard = value === '*' || value === -1 ? '; a wildcard belongs in a rule' : ''
  throw new ConfigInvalid(field, value, `must be an integer from 0 to ${highest}${wildcard}`)
}
