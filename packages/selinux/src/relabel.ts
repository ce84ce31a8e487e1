import {
  ConfigInvalid,
  environment,
  O_PATH,
  openFile,
  type Stat,
  SyscallError,
  stat,
  type Waiting,
} from '@libcontainer/sys'
import { canonicalizeContext } from './checks.js'
import { formatContext, parseContext } from './context.js'
import { labelBytes } from './files.js'
import { RelabelError, type RelabelProgress } from './relabel-error.js'
import { isEnabled } from './status.js'
import { Walk } from './walk.js'

export interface RelabelOptions extends Waiting {
  /** For all containers (`z`): the level becomes `s0`. */
  readonly shared?: boolean | undefined
  /** For this container alone (`Z`): the label as it is. Default: that, where `shared` is not said. */
  readonly private?: boolean | undefined
  /** Labels also where SELinux is off: for a file system that another kernel is to use. Default: `false`, nothing is done there. */
  readonly whereOff?: boolean | undefined
  /** Called again and again, with what was done so far. */
  readonly onProgress?: ((progress: RelabelProgress) => void) | undefined
}

export interface RelabelResult extends RelabelProgress {
  /** Whether anything was asked for, and SELinux is on. */
  readonly done: boolean
}

/** Whose labels the system needs as they are. */
const SYSTEM = [
  ...[
    '/',
    '/bin',
    '/boot',
    '/dev',
    '/etc',
    '/etc/passwd',
    '/etc/pki',
    '/etc/shadow',
    '/etc/ssh',
    '/home',
    '/lib',
    '/lib64',
  ],
  ...[
    '/media',
    '/mnt',
    '/opt',
    '/proc',
    '/root',
    '/run',
    '/sbin',
    '/srv',
    '/sys',
    '/system',
    '/tmp',
    '/usr',
    '/usr/bin',
  ],
  ...[
    '/usr/lib',
    '/usr/lib64',
    '/usr/local',
    '/usr/sbin',
    '/usr/share',
    '/var',
    '/var/lib',
    '/var/log',
    '/var/run',
    '/var/tmp',
  ],
]

/** A tree into which others move files all the time is given up after so many passes. */
const MAX_PASSES = 8

/**
 * Gives a file, or a directory with all that is in it, a label, by several threads at once. Links get it, and are not followed; but for one at the end of
 * `path`. What is made or moved in meanwhile is looked for until nothing is left to change. The directory itself comes last: one that has the label
 * had all of it labelled.
 *
 * @param label - a context; with an empty one, and where SELinux is off, nothing is done
 * @throws {ConfigInvalid} for a directory that the system needs, by whatever path it is reached, and for `shared` and `private` at once
 * @throws {RelabelError} with what was done before: `EROFS`, `EPERM`, `EACCES`; `EBUSY` for a tree that never holds still
 * @see chcon(1)
 */
export async function relabel(path: string, label: string, options: RelabelOptions = {}): Promise<RelabelResult> {
  const { shared = false, private: own = false, whereOff = false, signal } = options
  if (shared && own) throw new ConfigInvalid('relabel', 'zZ', 'must be shared (z) or private (Z), not both')
  if (label === '') return NOTHING
  const context = parseContext(label)
  const wanted = shared && context.level !== undefined ? formatContext({ ...context, level: 's0' }) : label
  const enabled = await isEnabled()
  const refused = await systemInodes()
  using root = await openFile(path, O_PATH)
  const inode = await stat('', { at: root })
  if (refused.some(one => isSame(one, inode)))
    throw new ConfigInvalid('path', path, 'must not be a directory that the system needs as it is labelled', {
      hint: 'relabel a directory of its own below it',
    })
  if (!enabled && !whereOff) return NOTHING
  signal?.throwIfAborted()
  const bytes = labelBytes(enabled ? await canonicalizeContext(wanted) : wanted)
  const walk = new Walk(root, path, bytes, packInodes(refused))
  return await untilNothingChanges(walk, inode.type === 'directory', options)
}

const NOTHING: RelabelResult = Object.freeze({
  done: false,
  passes: 0,
  entries: 0,
  changed: 0,
  unsupported: 0,
  gone: 0,
})

/** In milliseconds: how far a file's time may be behind the clock, at most. */
const COARSE = 100

async function untilNothingChanges(
  walk: Walk,
  isDirectory: boolean,
  { signal, onProgress }: RelabelOptions,
): Promise<RelabelResult> {
  // Where the directory has the label, most of what is in it has it, too.
  let compare = isDirectory && (await walk.hasLabel())
  let since: number | undefined
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const start = Date.now() - COARSE
    const before = walk.progress.changed
    if (isDirectory) await walk.pass({ compare, since, signal, onProgress })
    await walk.root(pass === 1)
    onProgress?.(walk.progress)
    if (!isDirectory || (pass > 1 && walk.progress.changed === before)) return { done: true, ...walk.progress }
    compare = true
    since = start
  }
  throw new RelabelError(-16 /* EBUSY */, 'setxattr', walk.progress, {
    path: walk.path,
    hint: 'files are moved into it all the time: stop who does that, and try again',
  })
}

async function systemInodes(): Promise<Stat[]> {
  const { HOME, SUDO_USER } = environment
  const own = [HOME, SUDO_USER && `/home/${SUDO_USER}`].filter(one => one !== undefined && one !== '')
  const found = await Promise.all(
    [...SYSTEM, ...(own as string[])].map(async path => {
      try {
        return [await stat(path)]
      } catch (error) {
        if (error instanceof SyscallError) return []
        throw error
      }
    }),
  )
  return found.flat()
}

const isSame = (a: Stat, b: Stat): boolean =>
  a.inode === b.inode && a.device.major === b.device.major && a.device.minor === b.device.minor

/** As native/relabel.c has them: two words for the device, and the inode. */
function packInodes(inodes: readonly Stat[]): Uint8Array {
  const packed = new DataView(new ArrayBuffer(16 * inodes.length))
  inodes.forEach(({ device, inode }, i) => {
    packed.setUint32(16 * i, device.major, true)
    packed.setUint32(16 * i + 4, device.minor, true)
    packed.setBigUint64(16 * i + 8, inode, true)
  })
  return new Uint8Array(packed.buffer)
}
