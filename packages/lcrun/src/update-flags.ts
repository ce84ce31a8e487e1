import type { Invocation } from '@libcontainer/cli'
import type { IntelRdt } from '@libcontainer/intelrdt'
import type { SpecResources } from '@libcontainer/oci'
import { ConfigInvalid, defined } from '@libcontainer/sys'
import { parseMemorySize } from './memory-size.js'

type Flags = Invocation['flags']

/** What of linux.resources the flags of `update` ask for. Pure. @throws {ConfigInvalid} with the flag as its field */
export function resourcesOf(flags: Flags): SpecResources {
  const size = (name: string): number | bigint | undefined => {
    const text = flags.get(name)
    if (text === undefined) return undefined
    const bytes = parseMemorySize(`--${name}`, text)
    return bytes === 'max' ? -1 : bytes
  }
  // They change nothing, and are sizes all the same.
  for (const name of ['kernel-memory', 'kernel-memory-tcp']) size(name)
  return defined({
    memory: defined({
      limit: size('memory'),
      reservation: size('memory-reservation'),
      swap: size('memory-swap'),
    }),
    cpu: defined({
      shares: count(flags, 'cpu-share'),
      quota: integer(flags, 'cpu-quota'),
      burst: count(flags, 'cpu-burst'),
      period: count(flags, 'cpu-period'),
      realtimeRuntime: integer(flags, 'cpu-rt-runtime'),
      realtimePeriod: count(flags, 'cpu-rt-period'),
      cpus: flags.get('cpuset-cpus'),
      mems: flags.get('cpuset-mems'),
      idle: idle(flags),
    }),
    blockIO: defined({ weight: weight(flags) }),
    pids: defined({ limit: integer(flags, 'pids-limit') || undefined }),
  })
}

/** The flag that says what `linux.resources` has at a place; the place where no flag does. */
export const flagOf = (place: string): string => {
  const name = placed[place.replace(/^linux\.resources\./, '')]
  return name === undefined ? place : `--${name}`
}

const placed: Readonly<Record<string, string>> = {
  'memory.limit': 'memory',
  'memory.reservation': 'memory-reservation',
  'memory.swap': 'memory-swap',
  'cpu.shares': 'cpu-share',
  'cpu.quota': 'cpu-quota',
  'cpu.burst': 'cpu-burst',
  'cpu.period': 'cpu-period',
  'cpu.realtimeRuntime': 'cpu-rt-runtime',
  'cpu.realtimePeriod': 'cpu-rt-period',
  'cpu.cpus': 'cpuset-cpus',
  'cpu.mems': 'cpuset-mems',
  'cpu.idle': 'cpu-idle',
  'pids.limit': 'pids-limit',
  'blockIO.weight': 'blkio-weight',
  'linux.intelRdt.l3CacheSchema': 'l3-cache-schema',
  'linux.intelRdt.memBwSchema': 'mem-bw-schema',
}

/** What of the container's class they ask for, if anything. Pure. */
export function classOf(flags: Flags): IntelRdt | undefined {
  const asked = defined({ l3CacheSchema: flags.get('l3-cache-schema'), memBwSchema: flags.get('mem-bw-schema') })
  return Object.keys(asked).length > 0 ? asked : undefined
}

/** A whole number of 0 or more. */
function count(flags: Flags, name: string): number | undefined {
  const value = integer(flags, name)
  if (value !== undefined && value < 0) throw new ConfigInvalid(`--${name}`, flags.get(name), 'must not be below 0')
  return value
}

function integer(flags: Flags, name: string): number | undefined {
  const text = flags.get(name)
  if (text === undefined) return undefined
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new ConfigInvalid(`--${name}`, text, 'must be a whole number')
  return value
}

/** 0 is not given. */
function weight(flags: Flags): number | undefined {
  const value = count(flags, 'blkio-weight') || undefined
  if (value !== undefined && (value < 10 || value > 1000))
    throw new ConfigInvalid('--blkio-weight', flags.get('blkio-weight'), 'must be from 10 to 1000')
  return value
}

function idle(flags: Flags): number | undefined {
  const value = integer(flags, 'cpu-idle')
  if (value !== undefined && value !== 0 && value !== 1)
    throw new ConfigInvalid('--cpu-idle', flags.get('cpu-idle'), 'must be 0 or 1')
  return value
}
