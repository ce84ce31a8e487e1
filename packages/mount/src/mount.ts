import { ConfigInvalid, kernelString, namesOfPath } from '@libcontainer/sys'
import { MS } from './flags.js'
import { type ParsedOptions, parseMountOptions } from './options.js'

/** A mount as OCI's runtime specification has it: fstab(5) in JSON. */
export interface Mount {
  /** Where in the container, absolute. */
  readonly destination: string
  /** A file system's type; `cgroup` is made from the container's cgroups; a bind needs none. */
  readonly type?: string | undefined
  /** What to bind, absolute, on the host; else what the file system takes: a device, or any name. */
  readonly source?: string | undefined
  /** Option words: see {@link knownMountOptions}; others are the file system's. */
  readonly options?: readonly string[] | undefined
}

/** A mount that has been looked at: its destination cleaned, its words sorted. */
export interface CheckedMount {
  readonly destination: string
  readonly kind: 'bind' | 'remount' | 'cgroup' | 'filesystem'
  readonly type: string
  readonly source: string
  readonly options: ParsedOptions
  /** Its place in the request: `mounts[2]`. */
  readonly field: string
}

const FIELDS = ['destination', 'type', 'source', 'options']

/** Files of /proc that a container may have its own of, as lxcfs makes them. */
const coverable = new Set(
  [
    'cpuinfo',
    'diskstats',
    'meminfo',
    'stat',
    'swaps',
    'uptime',
    'loadavg',
    'slabinfo',
    'sys/kernel/ns_last_pid',
    'sys/crypto/fips_enabled',
  ].map(name => `/proc/${name}`),
)

/** An absolute path without `.`, `..` and doubled slashes; `..` does not climb beyond `/`. */
export function cleanPath(path: string): string {
  return `/${namesOfPath(path).join('/')}`
}

/** What frozen mounts were found to be: the default ones are looked at several times for every container. */
const frozen = new WeakMap<Mount, CheckedMount>()

/**
 * Refuses what cannot be meant, before anything is touched.
 *
 * @param warn - told of what is odd but has a meaning
 * @throws {ConfigInvalid}
 */
export function checkMount(mount: Mount, field: string, warn: (message: string) => void = () => {}): CheckedMount {
  const known = frozen.get(mount)
  if (known !== undefined) return known.field === field ? known : { ...known, field }
  const checked = check(mount, field, warn)
  const unchanging = Object.isFrozen(mount) && Object.isFrozen(mount.options ?? '')
  if (unchanging && mount.destination.startsWith('/')) frozen.set(mount, checked)
  return checked
}

function check(mount: Mount, field: string, warn: (message: string) => void): CheckedMount {
  if (typeof mount !== 'object' || mount === null) throw new ConfigInvalid(field, mount, 'must be an object')
  for (const name of Object.keys(mount)) {
    if (!FIELDS.includes(name))
      throw new ConfigInvalid(`${field}.${name}`, mount[name as 'source'], `must be one of ${FIELDS.join(', ')}`)
  }
  const given = kernelString(mount.destination, `${field}.destination`)
  if (given === '') throw new ConfigInvalid(`${field}.destination`, given, 'must not be empty')
  if (!given.startsWith('/')) warn(`${field}.destination: '${given}' is relative and is taken from /`)
  const destination = cleanPath(given)
  const source = kernelString(mount.source ?? '', `${field}.source`)
  const options = parseMountOptions(mount.options ?? [], `${field}.options`)
  const type = kernelString(mount.type ?? '', `${field}.type`)
  const kind = kindOf(type, options)
  if (destination === '/') throw new ConfigInvalid(`${field}.destination`, given, 'must not be the root itself')
  for (const word of options.extensions) {
    if (word !== 'tmpcopyup') throw new ConfigInvalid(`${field}.options`, word, 'is not supported by this version')
    if (kind !== 'filesystem' || type !== 'tmpfs')
      throw new ConfigInvalid(
        `${field}.options`,
        word,
        'copies what a tmpfs will cover: only a mount of type tmpfs takes it',
      )
  }
  if (kind === 'bind') checkBind(source, options, field)
  if (kind === 'filesystem' && type === '') {
    throw new ConfigInvalid(`${field}.type`, mount.type, 'must name a file system, since the options name no bind')
  }
  if (kind === 'remount' && options.flags & MS.BIND && options.data.length > 0) refuseData(options, field)
  checkProc({ destination, kind, type, source, options, field })
  return { destination, kind, type, source, options, field }
}

function kindOf(type: string, { flags }: ParsedOptions): CheckedMount['kind'] {
  if (flags & MS.REMOUNT) return 'remount'
  if (type === 'bind' || flags & MS.BIND) return 'bind'
  return type === 'cgroup' ? 'cgroup' : 'filesystem'
}

function checkBind(source: string, options: ParsedOptions, field: string): void {
  if (!source.startsWith('/')) throw new ConfigInvalid(`${field}.source`, source, 'must be an absolute path to bind')
  if (options.data.length > 0) refuseData(options, field)
}

function refuseData(options: ParsedOptions, field: string): never {
  throw new ConfigInvalid(
    `${field}.options`,
    options.data[0],
    'is unknown, and a bind has no file system to give it to',
  )
}

/** What stands on /proc decides whether security labels and sysctls reach the kernel. */
function checkProc({ destination, kind, type, field }: CheckedMount): void {
  if (destination === '/proc') {
    if (type === 'proc' || kind === 'bind' || kind === 'remount') return
    throw new ConfigInvalid(`${field}.type`, type, 'must be proc, or a bind of one, on /proc')
  }
  if (!destination.startsWith('/proc/') || coverable.has(destination)) return
  if (kind === 'remount') return
  throw new ConfigInvalid(`${field}.destination`, destination, 'must not lie below /proc')
}

/** Whether a mount on it may cover something of /proc. */
export function mayCoverProc(destination: string): boolean {
  return destination === '/proc' || coverable.has(destination)
}
