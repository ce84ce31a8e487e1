import { type Asked, ask } from './ask.js'
import { CriuFailed, CriuMissingFeatures } from './errors.js'
import { askedOnce } from './place.js'
import { version } from './version.js'

/** What CRIU can do on this kernel. */
export interface CriuFeatures {
  /** The kernel notes which pages a process has written to: for pre-dumps. */
  readonly memTrack: boolean
  /** Pages on demand, by userfaultfd(2). */
  readonly lazyPages: boolean
  /** Processes by pidfd, for pre-dumps of trees whose pids may be used again. Since CRIU 3.16 */
  readonly pidfdStore: boolean
}

/**
 * Asks CRIU what it can do on this kernel; once for each program.
 *
 * @throws {SyscallError} `ENOENT` where it is not installed
 * @throws {CriuTooOld}
 * @throws {CriuFailed} where it does not work on this kernel at all
 */
export async function checkFeatures(criu: Asked = {}): Promise<CriuFeatures> {
  return await askFeatures(criu)
}

const askFeatures = askedOnce(async (criu): Promise<CriuFeatures> => {
  await version(criu)
  const features = { memTrack: true, lazyPages: true, pidfdStore: true }
  const response = await ask(criu, { type: 'FEATURE_CHECK', features })
  if (!response.success)
    throw new CriuFailed('CRIU cannot tell what it can do on this kernel', {
      lines: [],
      phase: undefined,
      log: undefined,
      errno: response.crErrno,
      hint: 'criu check says why it does not work here',
    })
  const { memTrack = false, lazyPages = false, pidfdStore = false } = response.features ?? {}
  return { memTrack, lazyPages, pidfdStore }
})

/** Refuses where CRIU on this kernel lacks one of these. @throws {CriuMissingFeatures} with all that is missing */
export async function requireFeatures(features: readonly (keyof CriuFeatures)[], criu: Asked = {}): Promise<void> {
  const have = await checkFeatures(criu)
  const missing = features.filter(name => !have[name])
  if (missing.length > 0) throw new CriuMissingFeatures(missing, await version(criu))
}
