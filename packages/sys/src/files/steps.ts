import type { ApplyOptions } from '../binding.js'
import { native } from '../native.js'
import type { Arg, Step } from '../step/step.js'
import { encodeUtf8, kernelString } from '../utf8.js'
import { AT_FDCWD, type At, O_CREAT, O_TRUNC, O_WRONLY, type WriteOptions } from './files.js'

const dirfd = ({ at }: At): number => at?.fd ?? AT_FDCWD

/** Makes a directory. */
export const makeDirectoryStep = (path: string, { mode = 0o777, ...at }: At & { mode?: number } = {}): Step => ({
  op: 'makeDirectory',
  args: [dirfd(at), kernelString(path, 'path'), mode],
  about: `make the directory ${path}`,
  path,
})

/** Writes a file in one go: options as for `writeText`. */
export function writeFileStep(path: string, data: string | Uint8Array, options: WriteOptions = {}): Step {
  const { flags = O_WRONLY | O_CREAT | O_TRUNC, mode = 0o644 } = options
  const bytes = typeof data === 'string' ? encodeUtf8(data) : data
  return {
    op: 'writeFile',
    args: [dirfd(options), kernelString(path, 'path'), flags, mode, bytes],
    about: `write ${path}`,
    path,
  }
}

/** Reads a file into a buffer, which `fills` of {@link applyToFiles} names; how much goes to the slot `into`. */
export const readFileStep = (path: string, buffer: Uint8Array, into: string, at: At = {}): Step => ({
  op: 'readFile',
  args: [dirfd(at), kernelString(path, 'path'), buffer],
  about: `read ${path}`,
  path,
  into,
})

/** Gives a file another name, in place of whatever has it. */
export const renameStep = (from: string, to: string, at: At = {}): Step => ({
  op: 'rename',
  args: [dirfd(at), kernelString(from, 'from'), dirfd(at), kernelString(to, 'to'), 0],
  about: `rename ${from} to ${to}`,
  path: to,
})

/** Removes a file; that there is none is an error. */
export const removeFileStep = (path: string, at: At = {}): Step => ({
  op: 'unlink',
  args: [dirfd(at), kernelString(path, 'path'), 0],
  about: `remove ${path}`,
  path,
})

/** Removes a directory with all that is in it, as `removeTree` does. */
export const removeTreeStep = (path: string, at: At = {}): Step => ({
  op: 'removeTree',
  args: [dirfd(at), kernelString(path, 'path')],
  about: `remove ${path}`,
  path,
})

/** Closes a descriptor. @param what - in words, for a printed plan */
export const closeStep = (fd: Arg, what: string): Step => ({ op: 'close', args: [fd], about: `close ${what}` })

/** Goes on where `path` is a directory that is reached through no link; else `ENOTDIR`, whatever is wrong with it. */
export const confirmPlainDirectoryStep = (path: string): Step => ({
  op: 'confirmPlainDirectory',
  args: [kernelString(path, 'path')],
  about: `see that ${path} is a directory`,
  path,
})

/** Goes on where nothing is at `path`, no dangling link either; else `EEXIST`. */
export const confirmAbsentStep = (path: string, at: At = {}): Step => ({
  op: 'confirmAbsent',
  args: [dirfd(at), kernelString(path, 'path')],
  about: `see that there is no ${path}`,
  path,
})

/** Goes on where a file holds exactly this; else `ESTALE`. */
export const confirmContentStep = (path: string, data: string, at: At = {}): Step => ({
  op: 'confirmContent',
  args: [dirfd(at), kernelString(path, 'path'), encodeUtf8(data)],
  about: `see that ${path} is unchanged`,
  path,
})

/** Applies steps of this module in order: one call off the thread for all of them. The `apply` of other facilities takes them, too. */
export async function applyToFiles(steps: readonly Step[], options?: ApplyOptions): Promise<void> {
  await native.apply(steps, options)
}

export interface ReplaceOptions extends WriteOptions {
  /** Done first, in the same call. Default: nothing. */
  readonly before?: readonly Step[] | undefined
}

/**
 * Replaces a file so that a reader sees the old text or the new, never a part: written beside it under another name, then renamed.
 */
export async function replaceFile(
  path: string,
  data: string | Uint8Array,
  { before = [], ...options }: ReplaceOptions = {},
): Promise<void> {
  const slash = path.lastIndexOf('/') + 1
  const aside = `${path.slice(0, slash)}.${path.slice(slash)}.new`
  try {
    await applyToFiles([...before, writeFileStep(aside, data, options), renameStep(aside, path, options)])
  } catch (error) {
    await native.async.unlink(dirfd(options), aside, 0)
    throw error
  }
}
