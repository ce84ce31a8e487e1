import { ConfigInvalid } from '@libcontainer/sys'

const units = ['', 'K', 'M', 'G', 'T', 'P', 'E']

/** A size as people write it: `65536`, `64M`, `1.5GiB`; powers of 1024. `max` is no limit. */
export function parseSize(field: string, text: string): number | 'max' {
  if (text === 'max') return text
  const match = /^(\d+(?:\.\d+)?)([KMGTPE]?)(?:i?B)?$/i.exec(text)
  const bytes = match === null ? Number.NaN : Number(match[1]) * 1024 ** units.indexOf(match[2]!.toUpperCase())
  if (Number.isFinite(bytes) && bytes <= Number.MAX_SAFE_INTEGER) return Math.floor(bytes)
  throw new ConfigInvalid(field, text, 'must be a size such as 65536, 64M or 1.5G, or max')
}

/** At most 5 letters: `512K`, `1.5G`. */
export function formatSize(bytes: number): string {
  let power = 0
  let value = bytes
  while (value >= 1000 && power < units.length - 1) {
    value /= 1024
    power++
  }
  const digits = power > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)
  return `${digits}${units[power]}`
}

/** How long, in milliseconds: `500ms`, `2s`, `1.5m`, `1h`; a number alone is seconds. */
export function parseDuration(field: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  const scale = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's']!
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * scale)
  if (ms > 0 && ms < 2 ** 31) return ms
  throw new ConfigInvalid(field, text, 'must be a time such as 500ms, 2s, 1.5m or 1h')
}

/** A number of 0 or more, or `max`. */
export function parseCount(field: string, text: string): number | 'max' {
  if (text === 'max') return text
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new ConfigInvalid(field, text, 'must be a whole number of 0 or more, or max')
}
