import type { Limit } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'

const POWERS = 'kmgtp'

/**
 * A size as people write it: `67108864`, `64m`, `1.5G`, `512 KiB`; powers of 1024. `-1` is no limit. Pure.
 *
 * @throws {ConfigInvalid}
 */
export function parseMemorySize(field: string, text: string): Limit {
  if (text === '-1') return 'max'
  const match = /^(\d+)(?:\.(\d+))? ?(?:([kmgtp])i?)?b?$/i.exec(text)
  if (match === null)
    throw new ConfigInvalid(
      field,
      text,
      'must be a number of bytes, with k, m, g, t or p behind it; or -1 for no limit',
    )
  const [, whole = '', fraction = '', suffix = ''] = match
  const unit = 1024n ** BigInt(suffix === '' ? 0 : POWERS.indexOf(suffix.toLowerCase()) + 1)
  // By whole numbers: 2^53 bytes and more have to be exact.
  const bytes = BigInt(whole) * unit + (BigInt(fraction || 0) * unit) / 10n ** BigInt(fraction.length)
  if (bytes >= 2n ** 63n) throw new ConfigInvalid(field, text, 'is more than the kernel can count')
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : bytes
}
