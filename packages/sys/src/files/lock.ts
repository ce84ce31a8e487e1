import { callAgain } from '../again.js'
import type { ApplyOptions } from '../binding.js'
import { checked } from '../errors/errors.js'
import { native } from '../native.js'
import { type Step, slot } from '../step/step.js'
import { decodeUtf8, kernelString } from '../utf8.js'
import { OwnedFd } from './fd.js'
import { AT_FDCWD, type At, O_CREAT, O_RDWR, openFile, readText } from './files.js'
import { applyToFiles, closeStep, readFileStep, removeTreeStep } from './steps.js'

export interface LockOptions extends At {
  /** Fails with `EAGAIN` instead of waiting. Default: false. */
  now?: boolean
  shared?: boolean
}

const LOCK_NB = 4
/** In milliseconds: many may take turns, and each makes or removes a container. */
const PATIENCE = 120_000

/**
 * Locks a file (made if absent) until the descriptor is closed, or its process ends: flock(2).
 *
 * @throws {SyscallError} `EAGAIN` when somebody else holds it, and does so for two minutes
 */
export async function lockFile(
  path: string,
  { now = false, shared = false, ...at }: LockOptions = {},
): Promise<OwnedFd> {
  const file = await openFile(path, O_RDWR | O_CREAT, 0o600, at)
  const lock = (): Promise<number> => native.async.lock(file.fd, (shared ? 1 : 2) | LOCK_NB)
  try {
    checked(now ? await lock() : await callAgain(lock, PATIENCE), 'flock', path)
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

/** The steps of {@link lockFile}: the descriptor goes to the slot `into`. `ESTALE` when the file was removed meanwhile. */
export function lockSteps(
  path: string,
  into: string,
  { now = false, shared = false, ...at }: LockOptions = {},
): Step[] {
  const about = `lock ${path}`
  return [
    {
      op: 'openAt',
      args: [at.at?.fd ?? AT_FDCWD, kernelString(path, 'path'), O_RDWR | O_CREAT, 0o600],
      about,
      path,
      into,
    },
    { op: 'lock', args: [slot(into), (shared ? 1 : 2) | (now ? LOCK_NB : 0)], about, path },
    { op: 'confirmLinked', args: [slot(into)], about, path },
  ]
}

export interface LockAndApply extends LockOptions, Pick<ApplyOptions, 'fills'> {
  /** Where the results of the steps go. */
  results?: Map<string, number>
}

/**
 * Locks a file like {@link lockSteps}, and applies further steps on files under the lock: one call off the thread. Nothing is locked when one fails.
 *
 * @throws {SyscallError} `ENOENT` where its directory is not there, `ESTALE` when the lock's file was removed while it was waited for,
 * `EAGAIN` with `now` when somebody holds it
 */
export async function lockAndApply(
  path: string,
  steps: readonly Step[],
  { results = new Map(), fills = [], ...options }: LockAndApply = {},
): Promise<OwnedFd> {
  try {
    await applyToFiles([...lockSteps(path, 'lock', options), ...steps], { results, fills })
    return new OwnedFd(results.get('lock')!)
  } catch (error) {
    const fd = results.get('lock')
    if (fd !== undefined) native.sync.close(fd)
    throw error
  }
}

export interface LockedText {
  readonly lock: OwnedFd
  /** `undefined` where the file is not there. */
  readonly text: string | undefined
}

/** The usual file that a lock guards fits; a larger one is read again. */
const GUARDED_SIZE = 8192

/** Locks a file like {@link lockAndApply}, and reads the one that it guards. */
export async function lockAndRead(lockPath: string, path: string, options: LockOptions = {}): Promise<LockedText> {
  const buffer = new Uint8Array(GUARDED_SIZE)
  const results = new Map<string, number>()
  const read: Step = { ...readFileStep(path, buffer, 'size', options), onError: { ENOENT: 'skip' } }
  const lock = await lockAndApply(lockPath, [read], { ...options, results, fills: [buffer] })
  const size = results.get('size')
  if (size === undefined) return { lock, text: undefined }
  if (size < buffer.length) return { lock, text: decodeUtf8(buffer.subarray(0, size)) }
  try {
    return { lock, text: await readText(path, options) }
  } catch (error) {
    lock.close()
    throw error
  }
}

/**
 * Removes a directory with all that is in it, as `removeTree` does, and then lets go of the lock that was held for it: one call off the
 * thread.
 */
export async function removeTreeAndUnlock(path: string, lock: OwnedFd, at: At = {}): Promise<void> {
  // The lock's file is gone for good when it is closed, and a disk takes as long for that as for any other removal.
  await applyToFiles([removeTreeStep(path, at), closeStep(lock.fd, 'the lock')])
  lock.release()
}
