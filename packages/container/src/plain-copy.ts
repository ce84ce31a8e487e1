import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from './config.js'

/** A config as it is now: what the caller changes later, or a getter answers another time, is not part of the container. */
export function plainCopy<T>(value: T, field = 'config'): T {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new ConfigInvalid(field, String(value), 'must be plain data')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      const each: unknown = value[i]
      list.push(isSimple(each) ? each : plainCopy(each, `${field}[${i}]`))
    }
    return list as T
  }
  const copy: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    const each = (value as Record<string, unknown>)[key]
    if (each === undefined) continue
    copy[key] = isSimple(each) ? each : plainCopy(each, field === 'config' ? key : `${field}.${key}`)
  }
  return copy as T
}

/** Most values are: for them no field is put together that no error names. */
const isSimple = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'

/** A copy of a whole config. Its mounts are frozen: they are looked at at several places, and what cannot change is looked at once. */
export function configCopy(config: ContainerConfig): ContainerConfig {
  const copy = plainCopy(config)
  if (Array.isArray(copy?.mounts)) {
    for (const mount of copy.mounts) {
      Object.freeze(mount?.options)
      Object.freeze(mount)
    }
  }
  return copy
}
