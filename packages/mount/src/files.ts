import { type Arg, ConfigInvalid, encodeUtf8, kernelString, nulTerminated, type Step, slot } from '@libcontainer/sys'
import { type CheckedMount, cleanPath } from './mount.js'

/** A file of a container's own, made by its init: with a text, a link, or a directory. */
export interface ContainerFile {
  /** Where in the container, absolute. Missing directories above it are made, with mode 0755. */
  readonly path: string
  /** The text of a file. With neither this nor `target` it is a directory; one that is there already stays. */
  readonly content?: string | undefined
  /** Where a link leads to, as readlink(2) tells it. */
  readonly target?: string | undefined
  /** Exactly, whatever the umask. Default: 0644 of a file, 0755 of a directory; a link has none. */
  readonly mode?: number | undefined
  /** Ids in the container. Default: 0. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

const FIELDS = ['path', 'content', 'target', 'mode', 'uid', 'gid']
/** Of a file's text: it is in the plan, and in the state of the container. */
const MAX_BYTES = 1 << 20
const S_IFREG = 0o100000
const S_IFDIR = 0o040000
const S_IFLNK = 0o120000

/**
 * Refuses what is no file. Pure.
 *
 * @throws {ConfigInvalid}
 */
export function checkFile(file: ContainerFile, field: string): void {
  if (typeof file !== 'object' || file === null) throw new ConfigInvalid(field, file, 'must be an object')
  for (const name of Object.keys(file))
    if (!FIELDS.includes(name))
      throw new ConfigInvalid(`${field}.${name}`, file[name as 'path'], `must be one of ${FIELDS.join(', ')}`)
  const { path, content, target, mode, uid, gid } = file
  if (!kernelString(path, field, '.path').startsWith('/'))
    throw new ConfigInvalid(`${field}.path`, path, 'must be absolute')
  if (cleanPath(path) === '/') throw new ConfigInvalid(`${field}.path`, path, 'must not be the root itself')
  if (content !== undefined && target !== undefined)
    throw new ConfigInvalid(`${field}.target`, target, 'is of a link, which has no content: leave one of them out')
  if (content !== undefined && typeof content !== 'string')
    throw new ConfigInvalid(`${field}.content`, content, 'must be text')
  if (content !== undefined && encodeUtf8(content).length > MAX_BYTES)
    throw new ConfigInvalid(
      `${field}.content`,
      `${content.slice(0, 20)}…`,
      'must be at most 1 MiB: bind a file in its place',
    )
  if (target !== undefined && kernelString(target, field, '.target') === '')
    throw new ConfigInvalid(`${field}.target`, target, 'must not be empty')
  if (target !== undefined && mode !== undefined)
    throw new ConfigInvalid(`${field}.mode`, mode, 'is of files and directories: the kernel keeps none of a link')
  checkNumber(mode, `${field}.mode`, 0o7777)
  checkNumber(uid, `${field}.uid`, 0xffff_fffe)
  checkNumber(gid, `${field}.gid`, 0xffff_fffe)
}

function checkNumber(value: unknown, field: string, high: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > high)
    throw new ConfigInvalid(field, value, `must be an integer from 0 to ${high}`)
}

/** What a file lies on. */
export interface FileMount {
  /** A descriptor of its root. */
  readonly root: Arg
  /** Where it is mounted. */
  readonly destination: string
}

const OF_THE_ROOT: FileMount = { root: slot('root'), destination: '/' }

/**
 * Makes one: what is at its path is replaced, and no link leads out of the mount that it lies on, wherever in the container to. Of a mount of the
 * container, never of the host.
 */
export function fileStep(
  { path, content, target, mode, uid = 0, gid = 0 }: ContainerFile,
  { root, destination }: FileMount = OF_THE_ROOT,
): Step {
  const [type, kind, usual] =
    target !== undefined
      ? [S_IFLNK, 'link', 0]
      : content !== undefined
        ? [S_IFREG, 'file', 0o644]
        : [S_IFDIR, 'directory', 0o755]
  const text = target === undefined ? encodeUtf8(content ?? '') : nulTerminated([target])
  return {
    op: 'putFile',
    args: [
      root,
      destination === '/' ? cleanPath(path) : cleanPath(path).slice(destination.length),
      type | (mode ?? usual),
      text,
      uid,
      gid,
    ],
    about: target === undefined ? `make the ${kind} ${path}` : `make the link ${path} to ${target}`,
    path,
    hints: {
      EISDIR: 'a directory is there, which no file replaces',
      ENOTDIR: 'something else is there, or above it, than a directory',
      EBUSY: 'something is mounted there',
      EROFS: 'it lies on what is mounted read-only',
      EINVAL: 'its owner is an id that the user namespace does not map',
    },
  }
}

const holds = (directory: string, path: string): boolean => directory === path || path.startsWith(`${directory}/`)

/** The mount that shows a path in the end, going by names alone: its place in the list, -1 for the root. */
export function mountOfPath(path: string, mounts: readonly CheckedMount[]): number {
  return mounts.findLastIndex(({ destination }) => holds(destination, cleanPath(path)))
}
