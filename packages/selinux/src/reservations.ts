import {
  environment,
  ids,
  LibcontainerError,
  listDirectory,
  lockFile,
  makeDirectory,
  randomBytes,
  readTextIfPresent,
  removeFile,
  writeText,
} from '@libcontainer/sys'
import {
  ALL_CATEGORIES,
  type CategoryRun,
  countCategories,
  formatLevel,
  formatRange,
  isPrivileged,
  type Level,
  parseRange,
  runs,
} from './level.js'
import { isAlive, type Owner, ownerAt, thisProcess } from './owner.js'

/*
 * Levels that containers have, one file each, whose lines are their owners. All of this host's processes see them, and a lock has them take turns. A level
 * whose owners are all gone is free.
 */

export interface ReservationOptions {
  /**
   * What the reservation is to end with: the path of something that is there as long as the container, such as the directory of its state. Default: this
   * process.
   */
  readonly owner?: string | undefined
  /** Where levels are reserved: one directory for all that must not meet. Default: `/run/libcontainer/selinux`; of an ordinary user below his own. */
  readonly directory?: string | undefined
}

function usualDirectory(): string {
  const { euid } = ids()
  const run = euid === 0 ? '/run' : environment.XDG_RUNTIME_DIR || `/run/user/${euid}`
  return `${run}/libcontainer/selinux`
}

const LOCK = 'lock'

/** Not one of a hundred random pairs was free: then all are looked at. */
const TRIES = 100

/**
 * Reserves a level; others may have it, too.
 *
 * @throws {ConfigInvalid} for what is none
 */
export async function reserveLevel(given: string, options: ReservationOptions = {}): Promise<void> {
  const level = formatRange(parseRange(given))
  await withLock(options, async (directory, owner) => {
    const owners = await readOwners(directory, level)
    // A path is one owner, however often it says so; a process is one for each time.
    if (options.owner !== undefined && owners.includes(owner)) return
    await writeOwners(directory, level, [...owners, owner])
  })
}

/** Lets go of a level; one that this owner does not have is fine. */
export async function releaseLevel(given: string, options: ReservationOptions = {}): Promise<void> {
  const level = formatRange(parseRange(given))
  await withLock(options, async (directory, owner) => {
    const owners = await readOwners(directory, level)
    const i = owners.indexOf(owner)
    if (i >= 0) await writeOwners(directory, level, owners.toSpliced(i, 1))
  })
}

/** Lets go of all levels that an owner has. */
export async function clearLevels(options: ReservationOptions = {}): Promise<void> {
  await withLock(options, async (directory, owner) => {
    for (const level of await heldLevels(directory)) {
      const owners = await readOwners(directory, level)
      if (owners.includes(owner))
        await writeOwners(
          directory,
          level,
          owners.filter(one => one !== owner),
        )
    }
  })
}

/**
 * Reserves a level with two categories that nobody else has, whichever process asks.
 *
 * @param of - the sensitivity, and the categories to choose from. Default: `s0:c0.c1023`
 * @throws {LibcontainerError} `CategoriesExhausted` when all pairs are taken
 */
export async function reserveUniqueLevel(
  of: Level = ALL_CATEGORIES,
  options: ReservationOptions = {},
): Promise<string> {
  return await withLock(options, async (directory, owner) => {
    const level = await findFree(directory, of)
    await writeOwners(directory, level, [owner])
    return level
  })
}

async function findFree(directory: string, { sensitivity, categories }: Level): Promise<string> {
  const count = countCategories(categories)
  const levelOf = (...two: readonly number[]): string =>
    formatLevel({ sensitivity, categories: runs(two.map(i => categoryAt(categories, i))) })
  for (let i = 0; i < TRIES && count > 1; i++) {
    const [a, b] = [randomBelow(count), randomBelow(count)]
    if (a === b) continue
    const level = levelOf(a, b)
    if (await isFree(directory, level)) return level
  }
  const held = new Set(await heldLevels(directory))
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++) {
      const level = levelOf(a, b)
      if ((!held.has(level) && !isPrivileged(level)) || (await isFree(directory, level))) return level
    }
  throw new LibcontainerError(
    'CategoriesExhausted',
    `all ${(count * (count - 1)) / 2} pairs of ${formatLevel({ sensitivity, categories })} are reserved`,
    {
      hint: `end containers, or give one the level of another, which it then shares files with; ${directory} has who holds which`,
    },
  )
}

function categoryAt(categories: readonly CategoryRun[], index: number): number {
  let left = index
  for (const [first, last] of categories) {
    if (left <= last - first) return first + left
    left -= last - first + 1
  }
  throw new RangeError('no such category')
}

/** All alike, within what nobody notices: of 2^32. */
const randomBelow = (count: number): number => new DataView(randomBytes(4).buffer).getUint32(0) % count

async function isFree(directory: string, level: string): Promise<boolean> {
  return !isPrivileged(level) && (await readOwners(directory, level)).length === 0
}

const heldLevels = async (directory: string): Promise<string[]> =>
  (await listDirectory(directory)).map(({ name }) => name).filter(name => name !== LOCK)

/** Those that are still there. */
async function readOwners(directory: string, level: string): Promise<Owner[]> {
  const lines = ((await readTextIfPresent(`${directory}/${level}`)) ?? '').split('\n').filter(line => line !== '')
  const alive = await Promise.all(lines.map(isAlive))
  return lines.filter((_, i) => alive[i])
}

/** Who is killed in the middle of it leaves owners that are not there, or none. */
async function writeOwners(directory: string, level: string, owners: readonly Owner[]): Promise<void> {
  const path = `${directory}/${level}`
  if (owners.length === 0) await removeFile(path)
  else await writeText(path, owners.map(owner => `${owner}\n`).join(''), { mode: 0o600 })
}

async function withLock<T>(
  { owner, directory = usualDirectory() }: ReservationOptions,
  act: (directory: string, owner: Owner) => Promise<T>,
): Promise<T> {
  const own = owner === undefined ? await thisProcess() : ownerAt(owner)
  await makeDirectory(directory, { mode: 0o700, parents: true })
  const lock = await lockFile(`${directory}/${LOCK}`)
  try {
    return await act(directory, own)
  } finally {
    lock.close()
  }
}
