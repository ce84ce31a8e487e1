import { ConfigInvalid } from '@libcontainer/sys'
import { isHostTerminal } from '../start/stdio.js'
import type { ContainerConfig } from './config.js'
import type { ProcessSpec } from './process-spec.js'

/** How deep plain data is nested at most; what holds itself is so without end. */
const DEEPEST = 32

/**
 * A config as it is now: what the caller changes later, or a getter answers another time, is not part of the container.
 *
 * @throws {ConfigInvalid} for what is no plain data: functions, lists with holes, what is nested without end
 */
export function plainCopy<T>(value: T, field = 'config', depth = 0): T {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new ConfigInvalid(field, String(value), 'must be plain data')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    refuseDeeper(value, field, depth)
    // Most values are text: for them no field is put together that no error names.
    return listCopy(value, field, (each, i) =>
      typeof each === 'string' ? each : plainCopy(each, `${field}[${i}]`, depth + 1),
    ) as T
  }
  if (ArrayBuffer.isView(value)) throw new ConfigInvalid(field, 'bytes', 'must be plain data')
  refuseDeeper(value, field, depth)
  const copy: Record<string, unknown> = Object.create(null)
  const keys = Object.keys(value)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const each = (value as Record<string, unknown>)[key]
    if (each === undefined) continue
    copy[key] =
      typeof each === 'string' ? each : plainCopy(each, field === 'config' ? key : `${field}.${key}`, depth + 1)
  }
  return copy as T
}

/** A hole is refused: with holes few entries may claim any length. */
function listCopy(list: readonly unknown[], field: string, copy: (each: unknown, i: number) => unknown): unknown[] {
  const copies: unknown[] = []
  for (let i = 0; i < list.length; i++) {
    const each = list[i]
    if (each === undefined && !(i in list))
      throw new ConfigInvalid(`${field}[${i}]`, undefined, 'must be there: a list has no holes')
    copies[i] = copy(each, i)
  }
  return copies
}

function refuseDeeper(value: unknown, field: string, depth: number): void {
  if (depth === DEEPEST) throw new ConfigInvalid(field, value, `is nested deeper than ${DEEPEST} levels`)
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
    if (value !== undefined) copy[key] = copyOf[key]?.(value, `process.${key}`) ?? plainCopy(value, `process.${key}`)
  }
  return copy as unknown as ProcessSpec
}

const handles = (value: unknown, field: string): unknown =>
  Array.isArray(value) ? listCopy(value, field, each => each) : value

/** Of what is no plain data. */
const copyOf: Readonly<Record<string, (value: unknown, field: string) => unknown>> = Object.assign(
  Object.create(null),
  {
    stdio: handles,
    extraFds: handles,
    signal: handles,
    terminal: (terminal: ProcessSpec['terminal']) => (isHostTerminal(terminal) ? { slave: terminal.slave } : undefined),
  },
)
