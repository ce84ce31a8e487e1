import {
  defaultMounts,
  fromClassicMount,
  knownMountOptions,
  type Mount,
  type ParsedOptions,
  parseMountOptions,
} from '@libcontainer/mount'
import { ConfigInvalid } from '@libcontainer/sys'
import { Fields } from './fields.js'
import { readCommands, readIdMapping, writeCommands, writeIdMapping } from './mount-extras.js'

/* Bits of mount(2) and mount_setattr(2) that words of options stand for where they are cleared, or hold for all mounts below too. */
const cleared: readonly (readonly [bit: number, word: string])[] = [
  [1, 'rw'],
  [2, 'suid'],
  [4, 'dev'],
  [8, 'exec'],
  [16, 'async'],
  [64, 'nomand'],
  [256, 'symfollow'],
  [1024, 'atime'],
  [2048, 'diratime'],
  [32768, 'loud'],
  [1 << 21, 'norelatime'],
  [1 << 23, 'noiversion'],
  [1 << 24, 'nostrictatime'],
  [1 << 25, 'nolazytime'],
]
const recursive: readonly (readonly [bit: number, set: string, clear: string])[] = [
  [0x1, 'rro', 'rrw'],
  [0x2, 'rnosuid', 'rsuid'],
  [0x4, 'rnodev', 'rdev'],
  [0x8, 'rnoexec', 'rexec'],
  [0x80, 'rnodiratime', 'rdiratime'],
  [0x200000, 'rnosymfollow', 'rsymfollow'],
]
const ATIME = 0x70
const IDMAP = 0x100000
const atimes: readonly (readonly [value: number, word: string])[] = [
  [0, 'rrelatime'],
  [0x10, 'rnoatime'],
  [0x20, 'rstrictatime'],
]
const MS_BIND = 4096
const TMPCOPYUP = 1

/** The mounts of 2014, which come after those that every container has. */
export function readMounts2014(fields: Fields | undefined, relabelling: Relabelling): Mount[] | undefined {
  const own = fields?.list('mounts', (value, at): Mount => {
    const mount = new Fields(value, at)
    const type = mount.text('type')
    const source = mount.text('source')
    const destination = mount.text('destination') ?? ''
    const writable = mount.flag('writable')
    const isPrivate = mount.flag('private')
    const relabel = readRelabel(mount, relabelling)
    mount.end('a mount of 2014')
    if (type === 'bind')
      return {
        destination,
        type,
        source,
        options: ['rbind', ...(writable ? [] : ['ro']), ...(isPrivate ? ['private'] : [])],
        ...relabel,
      }
    if (type === 'tmpfs') return { destination, type, source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec'] }
    throw new ConfigInvalid(`${at}.type`, type, 'must be bind or tmpfs')
  })
  return own === undefined || own.length === 0 ? undefined : [...defaultMounts, ...own]
}

/** The mounts of 2015: flags as numbers. */
export function readMounts2015(fields: Fields, relabelling: Relabelling): Mount[] | undefined {
  return fields.list('mounts', (value, at) => {
    const mount = new Fields(value, at)
    const read = fromClassicMount(readClassic(mount), at)
    const relabel = readRelabel(mount, relabelling)
    const commands = readCommands(mount)
    mount.end('a mount of 2015')
    return { ...read, ...relabel, ...commands }
  })
}

/** What the mounts of a file are relabelled to, and who is told where that is nothing. */
export interface Relabelling {
  readonly label: string | undefined
  readonly warn: (text: string) => void
}

/** Whoever looks at the mount says what it may be. */
function readRelabel(mount: Fields, { label, warn }: Relabelling): Pick<Mount, 'relabel'> {
  const relabel = mount.text('relabel')
  if (relabel === undefined) return {}
  if (label) return { relabel: relabel as Mount['relabel'] }
  warn(`${mount.field('relabel')}: changes nothing without mount_label`)
  return {}
}

function readClassic(mount: Fields) {
  return {
    source: mount.text('source'),
    destination: mount.text('destination') ?? '',
    device: mount.text('device') ?? '',
    flags: mount.number('flags', 0) ?? 0,
    propagationFlags: mount.list('propagation_flags', (value, at) => new Fields({ value }, at).number('value', 0) ?? 0),
    data: readData(mount),
  }
}

/** Text for the file system alone: an option word of ours in it would be taken for one. */
function readData(mount: Fields): string | undefined {
  const data = mount.text('data')
  if (data !== undefined && knownMountOptions.includes(data))
    throw new ConfigInvalid(mount.field('data'), data, 'is no file system’s own option: say it in flags')
  return data
}

/** The mounts of 2026: any file system, flags that must be off, attributes of the mounts below. */
export function readMounts2026(fields: Fields, relabelling: Relabelling): Mount[] | undefined {
  return fields.list('mounts', (value, at) => {
    const mount = new Fields(value, at)
    const classic = readClassic(mount)
    // The words come from the numbers alone; a type that 2015 did not know is no fault here.
    const { options = [] } = fromClassicMount({ ...classic, device: 'bind' }, at)
    const words = [
      ...options.slice(0, options.length - (classic.data === undefined ? 0 : 1)),
      ...wordsOf(mount.number('cleared_flags', 0) ?? 0, cleared, mount.field('cleared_flags')),
      ...readAttributes(mount.object('rec_attr')),
      ...wordsOf(mount.number('extensions', 0) ?? 0, [[TMPCOPYUP, 'tmpcopyup']], mount.field('extensions')),
      ...(classic.data === undefined ? [] : [classic.data]),
    ]
    const relabel = readRelabel(mount, relabelling)
    const { word, ...ids } = readIdMapping(mount.object('id_mapping'))
    const commands = readCommands(mount)
    mount.end('a mount of 2026')
    return {
      destination: classic.destination,
      type: classic.device || undefined,
      source: classic.source,
      options: word === undefined ? words : [...words, word],
      ...ids,
      ...relabel,
      ...commands,
    }
  })
}

function wordsOf(bits: number, words: readonly (readonly [bit: number, word: string])[], field: string): string[] {
  const known = words.reduce((all, [bit]) => all | bit, 0)
  if (bits & ~known)
    throw new ConfigInvalid(field, bits, `has bits without a word: 0x${((bits & ~known) >>> 0).toString(16)}`)
  return words.filter(([bit]) => bits & bit).map(([, word]) => word)
}

/** `struct mount_attr`, as Go prints it. */
function readAttributes(attributes: Fields | undefined): string[] {
  if (attributes === undefined) return []
  const set = attributes.number('Attr_set', 0) ?? 0
  const clear = attributes.number('Attr_clr', 0) ?? 0
  for (const name of ['Propagation', 'Userns_fd']) {
    const value = attributes.take(name)
    if (value)
      throw new ConfigInvalid(attributes.field(name), value, 'must be 0: propagation_flags and id_mapping say it')
  }
  attributes.end('the attributes of a mount')
  const words = [
    ...recursive.filter(([bit]) => clear & ~set & bit).map(([, , word]) => word),
    ...recursive.filter(([bit]) => set & bit).map(([, word]) => word),
  ]
  const atime = atimes.find(([value]) => value === (set & ATIME))
  if ((set | clear) & ATIME && atime !== undefined) words.push(atime[1])
  const known = recursive.reduce((all, [bit]) => all | bit, ATIME)
  if ((set | clear) & IDMAP)
    throw new ConfigInvalid(
      attributes.at,
      { set, clear },
      'must not hold MOUNT_ATTR_IDMAP: id_mapping says whose ids are mapped',
    )
  if ((set | clear) & ~known || atime === undefined)
    throw new ConfigInvalid(attributes.at, { set, clear }, 'has bits that no attribute of a mount has')
  return words
}

/** Bits for mount(2)'s propagations, in the order of the words. */
const propagations = new Map([
  ['unbindable', 1 << 17],
  ['private', 1 << 18],
  ['slave', 1 << 19],
  ['shared', 1 << 20],
])
const MS_REC = 16384

export function propagationFlag(word: string): number {
  return propagations.get(word) ?? propagations.get(word.slice(1))! | MS_REC
}

/** The word for a propagation flag, with or without MS_REC. */
export function propagationWord(flag: number, field: string): string {
  const found = [...propagations].find(([, bit]) => bit === (flag & ~MS_REC))
  if (found === undefined) throw new ConfigInvalid(field, flag, 'must be a propagation flag of mount(2)')
  return flag & MS_REC ? `r${found[0]}` : found[0]
}

function flagsOf(mount: Mount, options: ParsedOptions): number {
  return mount.type === 'bind' ? options.flags | MS_BIND : options.flags
}

export function writeMounts(mounts: readonly Mount[] | undefined, year: '2015' | '2026'): object[] {
  return (mounts ?? defaultMounts).map((mount, i) => {
    const field = `mounts[${i}]`
    const options = parseMountOptions(mount.options ?? [], `${field}.options`)
    const flags = flagsOf(mount, options)
    const device = flags & MS_BIND ? 'bind' : (mount.type ?? '')
    const extra = year === '2026' ? write2026(mount, options, field) : write2015(mount, options, flags, device, field)
    return {
      source: mount.source ?? '',
      destination: mount.destination,
      device,
      flags,
      propagation_flags: options.propagation.map(propagationFlag),
      data: options.data.join(','),
      ...extra,
    }
  })
}

function write2015(mount: Mount, options: ParsedOptions, flags: number, device: string, field: string): object {
  const { cleared: off, recursive: below, extensions } = options
  // A new file system has no flag to clear; what a bind has of its source is only kept or set.
  if ((flags & MS_BIND && off !== 0) || below.set || below.clear || extensions.size > 0)
    throw new ConfigInvalid(
      `${field}.options`,
      [...extensions],
      'clear flags, or reach the mounts below: 2015 cannot say that',
    )
  if (!['bind', 'proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup'].includes(device))
    throw new ConfigInvalid(`${field}.type`, device, 'is a file system that 2015 does not know')
  if (writeIdMapping(mount, options, field) !== null)
    throw new ConfigInvalid(`${field}.options`, 'idmap', 'maps ids, which 2015 does not know')
  return { relabel: mount.relabel ?? '', ...writeCommands(mount, field) }
}

function write2026(mount: Mount, options: ParsedOptions, field: string): object {
  const { cleared: off, recursive: below, extensions } = options
  const other = [...extensions].find(word => word !== 'tmpcopyup')
  if (other !== undefined) throw new ConfigInvalid(`${field}.options`, other, 'is crun’s: 2026 has no bit for it')
  const attributes = { Attr_set: below.set, Attr_clr: below.clear, Propagation: 0, Userns_fd: 0 }
  return {
    cleared_flags: off,
    rec_attr: below.set || below.clear ? attributes : null,
    extensions: extensions.size > 0 ? TMPCOPYUP : 0,
    id_mapping: writeIdMapping(mount, options, field),
    ...(mount.relabel ? { relabel: mount.relabel } : {}),
    ...(mount.premountCommands || mount.postmountCommands ? writeCommands(mount, field) : {}),
  }
}

/** Mounts in the words of 2014: those that every container has, and then binds and plain tmpfs. */
export function writeMounts2014(mounts: readonly Mount[] | undefined): object[] {
  const same = (a: Mount | undefined, b: Mount): boolean => JSON.stringify(a) === JSON.stringify(b)
  if (mounts === undefined) return []
  if (!defaultMounts.every((mount, i) => same(mounts[i], mount)))
    throw new ConfigInvalid('mounts', mounts, 'must begin with the default mounts, which every container of 2014 has')
  return mounts.slice(defaultMounts.length).map((mount, i) => {
    const field = `mounts[${i + defaultMounts.length}]`
    const {
      flags,
      cleared: off,
      propagation,
      recursive: below,
      data,
      extensions,
    } = parseMountOptions(mount.options ?? [], field)
    const plain = off === 0 && below.set === 0 && below.clear === 0 && data.length === 0 && extensions.size === 0
    const isPrivate = propagation.length === 1 && propagation[0] === 'private'
    const rest = flags & ~(MS_BIND | MS_REC | 1)
    if (plain && flags & MS_REC && flags & MS_BIND && rest === 0 && (propagation.length === 0 || isPrivate))
      return pickGiven({
        type: 'bind',
        source: mount.source,
        destination: mount.destination,
        writable: !(flags & 1),
        private: isPrivate,
        relabel: mount.relabel,
      })
    if (plain && mount.type === 'tmpfs' && flags === 14 && propagation.length === 0)
      return { type: 'tmpfs', destination: mount.destination }
    throw new ConfigInvalid(
      field,
      mount,
      'must be a recursive bind, or a tmpfs with nosuid, nodev and noexec alone: 2014 has no other',
    )
  })
}

/** Go's `omitempty`. */
export function pickGiven(value: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (each: unknown): boolean =>
    each === undefined ||
    each === null ||
    each === '' ||
    each === false ||
    each === 0 ||
    (Array.isArray(each) && each.length === 0)
  return Object.fromEntries(Object.entries(value).filter(([, each]) => !isEmpty(each)))
}
