import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from './config.js'
import type { ProcessSpec } from './process-spec.js'
import { isHostTerminal } from './stdio.js'

/** A config as it is now: what the caller changes later, or a getter answers another time, is not part of the container. */
export function plainCopy<T>(value: T, field = 'config'): T {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new ConfigInvalid(field, String(value), 'must be plain data')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      const each: unknown = value[i]
      // Most values are text: for them no field is put together that no error names.
      list[i] = typeof each === 'string' ? each : plainCopy(each, `${field}[${i}]`)
    }
    return list as T
  }
  if (value instanceof Uint8Array) return value
  const copy: Record<string, unknown> = Object.create(null)
  const keys = Object.keys(value)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const each = (value as Record<string, unknown>)[key]
    if (each === undefined) continue
    copy[key] = typeof each === 'string' ? each : plainCopy(each, field === 'config' ? key : `${field}.${key}`)
  }
  return copy as T
}

/** A copy of a whole config. Its mounts and their list are frozen: they are looked at at several places, and what cannot change is looked at once. */
export function configCopy(config: ContainerConfig): ContainerConfig {
  const copy = plainCopy(config)
  if (Array.isArray(copy?.mounts)) {
    for (const mount of copy.mounts) {
      Object.freeze(mount?.options)
      Object.freeze(mount)
    }
    Object.freeze(copy.mounts)
  }
  return copy
}

/**
 * A process as it is asked for now: what the caller changes later, a getter answers another time, or a prototype has, is not part of it.
 * Descriptors and signals stay the caller's own.
 */
export function processCopy(spec: ProcessSpec): ProcessSpec {
  // Whoever checks it says what it is.
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return spec
  const copy: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(spec)) {
    const value = (spec as unknown as Record<string, unknown>)[key]
    if (value !== undefined) copy[key] = copyOf[key]?.(value) ?? plainCopy(value, `process.${key}`)
  }
  return copy as unknown as ProcessSpec
}

const handles = (value: unknown): unknown => (Array.isArray(value) ? Array.from(value) : value)

/** Of what is no plain data. */
const copyOf: Readonly<Record<string, (value: unknown) => unknown>> = Object.assign(Object.create(null), {
  stdio: handles,
  extraFds: handles,
  signal: handles,
  terminal: (terminal: ProcessSpec['terminal']) => (isHostTerminal(terminal) ? { slave: terminal.slave } : undefined),
})
