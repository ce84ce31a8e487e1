import { ConfigInvalid, kernelString, namesOfPath } from '@libcontainer/sys'
import { checkCommands, type MountCommand } from './commands.js'
import { MS } from './flags.js'
import { checkRanges, type MountIdMap, type MountIdRange } from './id-map.js'
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
  /** Of a bind: whose ids it shows as whose. Both or none; with the word `ridmap` of the mounts below it too. */
  readonly uidMappings?: readonly MountIdRange[] | undefined
  readonly gidMappings?: readonly MountIdRange[] | undefined
  /** The path of a user namespace that has these maps, in place of the two. Default with the word `idmap`: the container's. */
  readonly userNamespace?: string | undefined
  /** Of a bind: the file that its source has to be when it is mounted, `major:minor:inode` of stat(2). `bindDescriptor` makes such a mount. */
  readonly inode?: string | undefined
  /**
   * Of a bind, under SELinux: the source gets the label that the container's mounts have, before, and keeps it. `Z` for this container alone, `z` for all, which
   * is at the level s0. Who makes the container does it; what no bind takes its files from, such as /usr, is refused.
   */
  readonly relabel?: 'z' | 'Z' | undefined
  /** Run just before and just after this mount is made, by who makes the container; one that fails ends that. */
  readonly premountCommands?: readonly MountCommand[] | undefined
  readonly postmountCommands?: readonly MountCommand[] | undefined
}

/** A mount that has been looked at: its destination cleaned, its words sorted. */
export interface CheckedMount {
  readonly destination: string
  readonly kind: 'bind' | 'remount' | 'cgroup' | 'filesystem'
  readonly type: string
  readonly source: string
  readonly options: ParsedOptions
  /** What its word and its fields say of ids. */
  readonly idMap?: MountIdMap | undefined
  /** What its source has to be. */
  readonly inode?: string | undefined
  /** Its place in the request: `mounts[2]`. */
  readonly field: string
}

const FIELDS = new Set([
  ...['destination', 'type', 'source', 'options'],
  ...['uidMappings', 'gidMappings', 'userNamespace', 'inode', 'relabel', 'premountCommands', 'postmountCommands'],
])

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
  // As nearly all are.
  if (path.startsWith('/') && !path.endsWith('/') && !path.includes('//') && !path.includes('/.')) return path
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

const checkedLists = new WeakMap<
  readonly Mount[],
  { readonly field: string; readonly checked: readonly CheckedMount[] }
>()

/** {@link checkMount} for a list, whose name is `field`. One that is frozen, and its mounts too, is looked at once. */
export function checkMounts(
  mounts: readonly Mount[],
  field = 'mounts',
  warn?: (message: string) => void,
): readonly CheckedMount[] {
  const known = checkedLists.get(mounts)
  if (known?.field === field) return known.checked
  const checked = mounts.map((mount, i) => checkMount(mount, `${field}[${i}]`, warn))
  if (Object.isFrozen(mounts) && mounts.every(mount => frozen.has(mount))) checkedLists.set(mounts, { field, checked })
  return checked
}

function check(mount: Mount, field: string, warn: (message: string) => void): CheckedMount {
  if (typeof mount !== 'object' || mount === null) throw new ConfigInvalid(field, mount, 'must be an object')
  const names = Object.keys(mount)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    if (!FIELDS.has(name))
      throw new ConfigInvalid(`${field}.${name}`, mount[name as 'source'], `must be one of ${[...FIELDS].join(', ')}`)
  }
  const given = kernelString(mount.destination, field, '.destination')
  if (given === '') throw new ConfigInvalid(`${field}.destination`, given, 'must not be empty')
  if (!given.startsWith('/')) warn(`${field}.destination: '${given}' is relative and is taken from /`)
  const destination = cleanPath(given)
  const source = kernelString(mount.source ?? '', field, '.source')
  const options = parseMountOptions(mount.options === undefined ? [] : mount.options, `${field}.options`)
  const type = kernelString(mount.type ?? '', field, '.type')
  const kind = kindOf(type, options)
  if (destination === '/') throw new ConfigInvalid(`${field}.destination`, given, 'must not be the root itself')
  if (options.extensions.size > 0) for (const word of options.extensions) checkExtension(word, kind, type, field)
  checkCommands(mount.premountCommands, field, '.premountCommands')
  checkCommands(mount.postmountCommands, field, '.postmountCommands')
  const idMap = idMapOf(mount, options, field)
  if (idMap !== undefined && kind !== 'bind')
    throw new ConfigInvalid(
      options.idMap === undefined ? field : `${field}.options`,
      options.idMap === undefined ? mount : 'idmap',
      'maps the ids of what is there already: only a bind takes it',
    )
  if (options.extensions.has('src-inside') && (idMap ?? mount.inode) !== undefined)
    throw new ConfigInvalid(
      `${field}.options`,
      'src-inside',
      'is no file of the host: its ids and its inode are its own',
    )
  if (kind === 'bind') checkBind(source, options, field)
  if (mount.inode !== undefined) checkInode(mount.inode, kind, field)
  if (mount.relabel !== undefined) checkRelabel(mount.relabel, kind, field)
  if (kind === 'filesystem' && type === '') {
    throw new ConfigInvalid(`${field}.type`, mount.type, 'must name a file system, since the options name no bind')
  }
  if (kind === 'remount' && options.flags & MS.BIND && options.data.length > 0) refuseData(options, field)
  checkProc({ destination, kind, type, source, options, field })
  return { destination, kind, type, source, options, idMap, inode: mount.inode, field }
}

function checkInode(inode: unknown, kind: CheckedMount['kind'], field: string): void {
  if (typeof inode !== 'string' || !/^\d+:\d+:\d+$/.test(inode))
    throw new ConfigInvalid(`${field}.inode`, inode, 'must be major:minor:inode, as bindDescriptor says it')
  if (kind !== 'bind')
    throw new ConfigInvalid(`${field}.inode`, inode, 'is for what is there already: only a bind takes it')
}

function checkRelabel(relabel: unknown, kind: CheckedMount['kind'], field: string): void {
  if (relabel !== 'z' && relabel !== 'Z')
    throw new ConfigInvalid(
      `${field}.relabel`,
      relabel,
      'must be z, for a label that containers share, or Z: one of them',
    )
  if (kind !== 'bind')
    throw new ConfigInvalid(`${field}.relabel`, relabel, 'is for what is there already: only a bind takes it')
}

/** Words that belong to one type of file system, and why. */
const typed: Readonly<Record<string, readonly [type: string, why: string]>> = {
  tmpcopyup: ['tmpfs', 'copies what a tmpfs will cover: only a mount of type tmpfs takes it'],
  'tmp-overlay': ['overlay', 'has what is written kept in memory: only a mount of type overlay takes it'],
}

function checkExtension(word: string, kind: CheckedMount['kind'], type: string, field: string): void {
  const [wanted, why] = typed[word] ?? [
    undefined,
    'says how links are taken at the ends of a bind: no other mount takes it',
  ]
  if (wanted === undefined ? kind === 'bind' : kind === 'filesystem' && type === wanted) return
  throw new ConfigInvalid(`${field}.options`, word, why)
}

/** The word and the fields say one thing: the one how far it reaches, the others whose ids. */
function idMapOf(mount: Mount, { idMap }: ParsedOptions, field: string): MountIdMap | undefined {
  const uid = checkRanges(mount.uidMappings, field, '.uidMappings')
  const gid = checkRanges(mount.gidMappings, field, '.gidMappings')
  const { userNamespace } = mount
  const recursive = idMap?.recursive ?? false
  if (uid.length + gid.length > 0) {
    if (uid.length === 0 || gid.length === 0) {
      const name = uid.length === 0 ? 'uidMappings' : 'gidMappings'
      throw new ConfigInvalid(
        `${field}.${name}`,
        mount[name],
        'must be given too: ids of users and groups are mapped together',
      )
    }
    if (idMap?.maps !== undefined || userNamespace !== undefined)
      throw new ConfigInvalid(
        `${field}.${userNamespace === undefined ? 'options' : 'userNamespace'}`,
        userNamespace ?? mount.options,
        'says whose ids are mapped a second time, beside uidMappings and gidMappings: leave one of them out',
      )
    return { recursive, maps: { uid, gid } }
  }
  if (userNamespace === undefined) return idMap
  if (!kernelString(userNamespace, `${field}.userNamespace`).startsWith('/'))
    throw new ConfigInvalid(`${field}.userNamespace`, userNamespace, 'must be the absolute path of a user namespace')
  if (idMap?.maps !== undefined)
    throw new ConfigInvalid(
      `${field}.userNamespace`,
      userNamespace,
      'says whose ids are mapped a second time, beside idmap=',
    )
  return { recursive, path: userNamespace }
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
