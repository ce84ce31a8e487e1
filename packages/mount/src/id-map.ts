import { ConfigInvalid } from '@libcontainer/sys'

/** `size` ids from `containerId` on, as the file system has them, are shown as those from `hostId` on. */
export interface MountIdRange {
  readonly containerId: number
  readonly hostId: number
  readonly size: number
}

/** A range as a word of options has it. */
export interface RelativeIdRange extends MountIdRange {
  /** `hostId` is an id of the container's user namespace, and not of the host. */
  readonly relative?: true | undefined
}

/** Whose ids a mount shows as whose. */
export interface MountIdMap {
  /** The mounts below it too. */
  readonly recursive: boolean
  /** Default: those of the user namespace at `path`, and else those of the container's. */
  readonly maps?: { readonly uid: readonly RelativeIdRange[]; readonly gid: readonly RelativeIdRange[] } | undefined
  readonly path?: string | undefined
}

/** No id: (uid_t)-1 means "leave it alone" to the kernel. */
const NO_ID = 0xffffffff

/** Refuses ranges that no map can have; whether they overlap is the business of who writes them. @param part - what `of` goes on with to the list */
export function checkRanges(given: unknown, of: string, part = ''): readonly MountIdRange[] {
  if (given === undefined || given === null) return []
  const field = of + part
  if (!Array.isArray(given)) throw new ConfigInvalid(field, given, 'must be a list of { containerId, hostId, size }')
  given.forEach((range: unknown, i) => {
    const at = `${field}[${i}]`
    if (typeof range !== 'object' || range === null)
      throw new ConfigInvalid(at, range, 'must be { containerId, hostId, size }')
    const { containerId, hostId, size, ...others } = range as Record<string, unknown>
    for (const [name, value] of Object.entries(others))
      throw new ConfigInvalid(`${at}.${name}`, value, 'must be one of containerId, hostId, size')
    for (const [name, value] of Object.entries({ containerId, hostId, size })) {
      const least = name === 'size' ? 1 : 0
      if (!Number.isInteger(value) || (value as number) < least || (value as number) >= NO_ID)
        throw new ConfigInvalid(`${at}.${name}`, value, `must be a number from ${least} to ${NO_ID - 1}`)
    }
  })
  return given
}

const PARTS = ['uids', 'gids'] as const

/**
 * What follows `idmap=` in an option word: `uids=0-1000-10#10-2000-1;gids=0-1000-10`. Each range is the first id of the file system, the first that
 * it is shown as, and how many; with `@` before it the latter is one of the container's user namespace.
 *
 * @throws {ConfigInvalid} naming the word
 */
export function parseIdMapWord(text: string, field: string): NonNullable<MountIdMap['maps']> {
  const found = new Map<string, RelativeIdRange[]>()
  for (const part of text.split(';')) {
    const name = PARTS.find(each => part.startsWith(`${each}=`))
    if (name === undefined || found.has(name))
      throw new ConfigInvalid(field, text, 'must be uids=…;gids=…, each once: ids to map, such as uids=0-1000-1')
    found.set(
      name,
      part
        .slice(name.length + 1)
        .split('#')
        .map(range => parseRange(range, field)),
    )
  }
  const [uid, gid] = PARTS.map(name => found.get(name))
  if (uid === undefined || gid === undefined)
    throw new ConfigInvalid(field, text, `must map both: ${uid === undefined ? 'uids' : 'gids'}= is missing`)
  return { uid, gid }
}

function parseRange(text: string, field: string): RelativeIdRange {
  const [, at, ...ids] = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(text) ?? []
  const [containerId, hostId, size] = ids.map(Number)
  if (containerId === undefined)
    throw new ConfigInvalid(field, text, 'must be three numbers: the first id, what it is shown as, how many: 0-1000-1')
  const range = { containerId, hostId: hostId!, size: size! }
  checkRanges([range], field)
  return at === '@' ? { ...range, relative: true } : range
}
