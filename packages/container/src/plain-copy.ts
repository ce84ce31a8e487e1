import { ConfigInvalid } from '@libcontainer/sys'

/** A config as it is now: what the caller changes later, or a getter answers another time, is not part of the container. */
export function plainCopy<T>(value: T, field = 'config'): T {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new ConfigInvalid(field, String(value), 'must be plain data')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((each, i) => plainCopy(each, `${field}[${i}]`)) as T
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, each] of Object.entries(value)) {
    if (each !== undefined) copy[key] = plainCopy(each, field === 'config' ? key : `${field}.${key}`)
  }
  return copy as T
}
