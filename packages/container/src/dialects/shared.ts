import type { CapabilitySets } from '@libcontainer/capabilities'
import { capabilityName, capabilityNumber } from '@libcontainer/capabilities'
import { ConfigInvalid } from '@libcontainer/sys'
import { isState } from './detect.js'
import type { ReadOptions } from './dialect.js'
import { Fields } from './fields.js'

/** What the file names, or else the caller. */
export function rootfsOf(named: string | undefined, options: ReadOptions): string {
  const rootfs = named ?? options.rootfs
  if (rootfs === undefined) throw new ConfigInvalid('rootfs', named, 'must be given: the file names no root filesystem')
  return rootfs
}

/** The one list of the years up to 2015: names without `CAP_`. */
export function writeCapabilityNames(
  capabilities: CapabilitySets | readonly string[] | null,
  year: '2014' | '2015',
): string[] {
  if (capabilities === null)
    throw new ConfigInvalid(
      'capabilities',
      null,
      `cannot be said in a config of ${year}, which always drops what it does not list`,
    )
  return listOf(capabilities, year).map((name, i) =>
    capabilityName(capabilityNumber(name, `capabilities[${i}]`), 'classic'),
  )
}

/** Sets that one list can stand for: the first three alike, and no others. */
function listOf(capabilities: CapabilitySets | readonly string[], year: string): readonly string[] {
  if (Array.isArray(capabilities)) return capabilities
  const {
    bounding = [],
    effective = [],
    permitted = [],
    inheritable = [],
    ambient = [],
  } = capabilities as CapabilitySets
  const key = (list: readonly string[]): string => String([...list].sort())
  const alike = key(bounding) === key(effective) && key(bounding) === key(permitted)
  if (alike && inheritable.length === 0 && ambient.length === 0) return bounding
  throw new ConfigInvalid(
    'capabilities',
    capabilities,
    `cannot be said in a config of ${year}, which has one list for all sets`,
  )
}

const STATE_FIELDS =
  'id init_process_pid init_process_start created rootless cgroup_paths namespace_paths external_descriptors intel_rdt_path intel_rdt_mon_path'

/** The fields of a config, which may lie in a state.json beside what is known of the container that ran. */
export function configFields(value: unknown): Fields {
  if (!isState(value)) return new Fields(value, '')
  const state = new Fields(value, '')
  for (const name of STATE_FIELDS.split(' ')) state.take(name)
  const config = new Fields(state.take('config'), 'config')
  state.end('a state.json')
  return config
}
