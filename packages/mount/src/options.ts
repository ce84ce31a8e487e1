import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { MOUNT_ATTR, MS } from './flags.js'
import { type MountIdMap, parseIdMapWord } from './id-map.js'
import { isPropagation, type Propagation, propagationWords } from './propagation.js'

/** What a list of option words asks for. */
export interface ParsedOptions {
  /** Flags of mount(2) that are asked for: what was set and not cleared later. */
  readonly flags: number
  /** Flags that were cleared by name and not set later. */
  readonly cleared: number
  /** To be set after the mount is made, in this order. */
  readonly propagation: readonly Propagation[]
  /** Attributes of this mount and of all below it: `rro` and its kin. */
  readonly recursive: AttributeChange
  /** What no word of ours is: the file system's own options. */
  readonly data: readonly string[]
  /** Words that change how the mount is made: `tmpcopyup`, `tmp-overlay`, `copy-symlink`, `src-nofollow`, `dest-nofollow`, `src-inside`. */
  readonly extensions: ReadonlySet<string>
  /** `idmap` and `ridmap`, with ids of their own or without. */
  readonly idMap?: MountIdMap | undefined
}

/** Bits of `MOUNT_ATTR_*` to set and to clear; a new atime value clears the whole field. */
export interface AttributeChange {
  readonly set: number
  readonly clear: number
}

type Word = readonly ['set' | 'clear', number]

const words = new Map<string, Word>([
  ['async', ['clear', MS.SYNCHRONOUS]],
  ['atime', ['clear', MS.NOATIME]],
  ['bind', ['set', MS.BIND]],
  ['defaults', ['set', 0]],
  ['dev', ['clear', MS.NODEV]],
  ['diratime', ['clear', MS.NODIRATIME]],
  ['dirsync', ['set', MS.DIRSYNC]],
  ['exec', ['clear', MS.NOEXEC]],
  ['iversion', ['set', MS.I_VERSION]],
  ['lazytime', ['set', MS.LAZYTIME]],
  ['loud', ['clear', MS.SILENT]],
  ['mand', ['set', MS.MANDLOCK]],
  ['noatime', ['set', MS.NOATIME]],
  ['nodev', ['set', MS.NODEV]],
  ['nodiratime', ['set', MS.NODIRATIME]],
  ['noexec', ['set', MS.NOEXEC]],
  ['noiversion', ['clear', MS.I_VERSION]],
  ['nolazytime', ['clear', MS.LAZYTIME]],
  ['nomand', ['clear', MS.MANDLOCK]],
  ['norelatime', ['clear', MS.RELATIME]],
  ['nostrictatime', ['clear', MS.STRICTATIME]],
  ['nosuid', ['set', MS.NOSUID]],
  ['nosymfollow', ['set', MS.NOSYMFOLLOW]],
  ['rbind', ['set', MS.BIND | MS.REC]],
  ['relatime', ['set', MS.RELATIME]],
  ['remount', ['set', MS.REMOUNT]],
  ['ro', ['set', MS.RDONLY]],
  ['rw', ['clear', MS.RDONLY]],
  ['silent', ['set', MS.SILENT]],
  ['strictatime', ['set', MS.STRICTATIME]],
  ['suid', ['clear', MS.NOSUID]],
  ['symfollow', ['clear', MS.NOSYMFOLLOW]],
  ['sync', ['set', MS.SYNCHRONOUS]],
])

const atime = (value: number): AttributeChange => ({ set: value, clear: MOUNT_ATTR.ATIME })
const on = (set: number): AttributeChange => ({ set, clear: 0 })
const off = (clear: number): AttributeChange => ({ set: 0, clear })

const recursiveWords = new Map<string, AttributeChange>([
  ['rro', on(MOUNT_ATTR.RDONLY)],
  ['rrw', off(MOUNT_ATTR.RDONLY)],
  ['rnosuid', on(MOUNT_ATTR.NOSUID)],
  ['rsuid', off(MOUNT_ATTR.NOSUID)],
  ['rnodev', on(MOUNT_ATTR.NODEV)],
  ['rdev', off(MOUNT_ATTR.NODEV)],
  ['rnoexec', on(MOUNT_ATTR.NOEXEC)],
  ['rexec', off(MOUNT_ATTR.NOEXEC)],
  ['rnodiratime', on(MOUNT_ATTR.NODIRATIME)],
  ['rdiratime', off(MOUNT_ATTR.NODIRATIME)],
  ['rrelatime', atime(0)],
  ['rnorelatime', atime(0)],
  ['rnoatime', atime(MOUNT_ATTR.NOATIME)],
  ['ratime', atime(0)],
  ['rstrictatime', atime(MOUNT_ATTR.STRICTATIME)],
  ['rnostrictatime', atime(0)],
  ['rnosymfollow', on(MOUNT_ATTR.NOSYMFOLLOW)],
  ['rsymfollow', off(MOUNT_ATTR.NOSYMFOLLOW)],
])

const extensionWords = ['tmpcopyup', 'tmp-overlay', 'copy-symlink', 'src-nofollow', 'dest-nofollow', 'src-inside']
const idMapWords = ['idmap', 'ridmap']

/** Every option word that is ours rather than a file system's, sorted: for a features document. */
export const knownMountOptions: readonly string[] = [
  ...words.keys(),
  ...propagationWords,
  ...recursiveWords.keys(),
  ...extensionWords,
  ...idMapWords,
].sort()

/** More than anybody needs, and as many as the ops' integer holds. */
const MAX_PROPAGATIONS = 15

/**
 * Sorts option words, as in fstab(5) and OCI's `mounts[].options`: any order, a later word wins over an earlier one, and
 * what is no word of ours is data for the file system.
 *
 * @param field - the name of the list, for errors
 */
export function parseMountOptions(options: readonly string[], field = 'options'): ParsedOptions {
  if (!Array.isArray(options)) throw new ConfigInvalid(field, options, 'must be a list of words')
  let known: Found | undefined = found
  for (let i = 0; known !== undefined && i < options.length; i++) known = known.longer?.get(options[i]!)
  return known?.parsed ?? remembered([...options], field)
}

/**
 * What a list of words was found to say, and the lists that go on where it ends: the mounts of a container are looked at several times, and many have the
 * words of another.
 */
interface Found {
  parsed?: ParsedOptions
  longer?: Map<string, Found>
}

const found: Found = {}
let foundWords = 0
const MOST = 1024
const LONGEST = 32

/** @param options - a list of our own: what is parsed is what is remembered */
function remembered(options: readonly string[], field: string): ParsedOptions {
  const parsed = parse(options, field)
  if (options.length > LONGEST) return parsed
  foundWords += options.length
  if (foundWords > MOST) {
    found.longer?.clear()
    foundWords = options.length
  }
  let at = found
  for (const option of options) {
    at.longer ??= new Map()
    const next: Found = at.longer.get(option) ?? {}
    at.longer.set(option, next)
    at = next
  }
  at.parsed = parsed
  return parsed
}

function parse(options: readonly string[], field: string): ParsedOptions {
  const parsed = { flags: 0, cleared: 0, propagation: [] as Propagation[], data: [] as string[] }
  const extensions = new Set<string>()
  let recursive: AttributeChange = { set: 0, clear: 0 }
  let idMap: MountIdMap | undefined
  options.forEach((option, i) => {
    const word = words.get(option)
    if (word !== undefined) {
      const [act, bits] = word
      parsed.flags = act === 'set' ? parsed.flags | bits : parsed.flags & ~bits
      parsed.cleared = act === 'set' ? parsed.cleared & ~bits : parsed.cleared | bits
      return
    }
    const at = `${field}[${i}]`
    kernelString(option, at)
    const change = recursiveWords.get(option)
    if (isPropagation(option)) parsed.propagation.push(option)
    else if (change !== undefined) recursive = merge(recursive, change)
    else if (extensionWords.includes(option)) extensions.add(option)
    else if (isIdMapWord(option)) idMap = readIdMap(option, at)
    else parsed.data.push(...splitData(option, at))
  })
  if (parsed.propagation.length > MAX_PROPAGATIONS) {
    throw new ConfigInvalid(field, options, `must not name more than ${MAX_PROPAGATIONS} propagations`)
  }
  return { ...parsed, recursive, extensions, ...(idMap === undefined ? {} : { idMap }) }
}

const isIdMapWord = (option: string): boolean => /^r?idmap(=|$)/.test(option)

/** @param option - of which {@link isIdMapWord} is true */
function readIdMap(option: string, field: string): MountIdMap {
  const recursive = option.startsWith('r')
  const after = option.indexOf('=')
  return after < 0 ? { recursive } : { recursive, maps: parseIdMapWord(option.slice(after + 1), field) }
}

/**
 * Reads `idmap`, `ridmap`, and either with ids of its own, where it stands for itself. Pure.
 *
 * @throws {ConfigInvalid} for anything else
 */
export function parseIdMapOption(word: string, field = 'option'): MountIdMap {
  if (typeof word !== 'string' || !isIdMapWord(word))
    throw new ConfigInvalid(field, word, 'must be idmap, ridmap, or either with ids: idmap=uids=0-1000-1;gids=0-1000-1')
  return readIdMap(word, field)
}

/** The later change wins, bit by bit; the atime field counts as one. */
function merge(before: AttributeChange, later: AttributeChange): AttributeChange {
  const touched = later.set | later.clear
  return { set: (before.set & ~touched) | later.set, clear: (before.clear & ~later.set) | later.clear }
}

/** fsconfig(2) takes strings of at most this many bytes. */
const MAX_OPTION = 255

/** So many units are fewer bytes than that, whatever they are. */
const MAX_PLAIN = 85

/** One word may hold several options (`size=64k,mode=755`); a comma within double quotes does not part them. */
function splitData(option: string, field: string): string[] {
  if (option.length <= MAX_PLAIN && option !== '' && !option.includes(',') && !option.includes('"')) return [option]
  const parts = option.match(/(?:"[^"]*"|[^,])+/g) ?? []
  // Quotes around nothing say nothing.
  const texts = parts.map(part => part.replace(/"/g, '')).filter(text => text !== '')
  return texts.map(text => {
    const value = text.includes('=') ? text.slice(text.indexOf('=') + 1) : text
    if (encodeUtf8(value).length > MAX_OPTION) {
      throw new ConfigInvalid(field, option, `must not be longer than ${MAX_OPTION} bytes, which is fsconfig's limit`)
    }
    return text
  })
}
