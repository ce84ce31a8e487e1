import { ConfigInvalid } from '@libcontainer/sys'
import type { Dialect } from './dialect.js'

type Plain = Readonly<Record<string, unknown>>

/* Names that a dialect alone has. What several have (hostname, rootfs, cgroups) tells nothing. */
const YEAR_2014 = 'mount_config environment tty restrict_sys root_fs working_dir user ipc'
const YEAR_2015 = 'pivot_dir privatefs additional_groups system_properties'
const SINCE_2015 =
  'readonlyfs no_pivot_root parent_death_signal mask_paths readonly_paths uid_mappings gid_mappings mount_label apparmor_profile ' +
  'process_label networks routes seccomp'
const YEAR_2026 =
  'Hooks no_new_privileges no_new_keyring oom_score_adj version intel_rdt rootless_euid rootless_cgroups time_offsets io_priority ' +
  'exec_cpu_affinity memory_policy netDevices'
/** Of 2026, and our own. */
const MODERN = 'hooks scheduler personality domainname sysctl labels umask'

/** Our own names are in camel case, and besides them only two of 2026's. */
const isOwnName = (name: string): boolean =>
  name === 'process' || (/^[a-z]+[A-Z]/.test(name) && name !== 'rootPropagation' && name !== 'netDevices')

/**
 * Tells in whose words a configuration is written, by the names that only one dialect has; what says nothing either way is this library's
 * own. A state.json is told by the config in it.
 *
 * The readers, not this function, find what is wrong with it.
 *
 * @throws {ConfigInvalid} for anything but an object
 */
export function detectDialect(value: unknown): Dialect {
  if (!isObject(value)) throw new ConfigInvalid('config', value, 'must be an object')
  if (has(value, 'ociVersion')) return 'oci'
  if (isState(value)) {
    // The first states to have one were those of 2015.
    return detectDialect(value.config) === '2015' ? '2015' : '2026'
  }
  const { namespaces, capabilities, mounts, cgroups } = value
  if (
    Object.keys(value).some(isOwnName) ||
    typeof value.rootPropagation === 'string' ||
    someIn(namespaces, isOwnNamespace)
  )
    return 'own'
  if (has(value, YEAR_2014) || isObject(namespaces) || saysNumbersIn(cgroups)) return '2014'
  if (has(value, YEAR_2015)) return '2015'
  const old = has(value, SINCE_2015) || someIn(namespaces, isTyped) || someIn(mounts, each => has(each, 'device'))
  if (isObject(capabilities) && has(capabilities, 'Bounding Effective Inheritable Permitted Ambient')) return '2026'
  if (typeof value.rootPropagation === 'number') return '2026'
  if (has(value, YEAR_2026) || (old && has(value, MODERN))) return '2026'
  return old ? '2015' : 'own'
}

/** Whether it is a state.json of libcontainer, which holds the config that it was started with. */
export function isState(value: unknown): value is Plain & { readonly config: Plain } {
  return isObject(value) && isObject(value.config) && has(value, 'init_process_pid')
}

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const has = (value: unknown, names: string): boolean =>
  isObject(value) && names.split(' ').some(name => Object.hasOwn(value, name))

const someIn = (list: unknown, test: (each: unknown) => boolean): boolean => Array.isArray(list) && list.some(test)

const isOwnNamespace = (each: unknown): boolean =>
  (typeof each === 'string' && !each.startsWith('NEW')) || has(each, 'kind')

const isTyped = (each: unknown): boolean => has(each, 'type')

/** The device lists of 2014 say `major_number` where those of 2015 say `major`. */
const saysNumbersIn = (cgroups: unknown): boolean =>
  isObject(cgroups) &&
  someIn(cgroups.allowed_devices, each => has(each, 'major_number minor_number cgroup_permissions'))
