import type { RestoreOptions as CriuRestoreOptions, DumpOptions, TreeOptions } from '@libcontainer/criu'
import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import type { ProcessSpec } from '../config/process-spec.js'

/** What saving a container and bringing it back have in common; what is not said here is as `@libcontainer/criu` has it. */
export interface CheckpointImage
  extends Pick<
    TreeOptions,
    | 'tcpEstablished'
    | 'tcpClose'
    | 'extUnixSk'
    | 'shellJob'
    | 'fileLocks'
    | 'linkRemap'
    | 'autoDedup'
    | 'manageCgroupsMode'
    | 'networkLock'
    | 'lazyPages'
    | 'configFile'
  > {
  /** The network namespace of a container of its own is brought back with nothing but `lo`, which is up. `[]`: as it was. Default: `['net']`. */
  readonly emptyNs?: TreeOptions['emptyNs']
  /** The directory of the images: absolute. */
  readonly imagesDir: string
  /** Where CRIU's log and statistics go: absolute. Default: `imagesDir`. */
  readonly workDir?: string | undefined
}

export interface CheckpointOptions
  extends CheckpointImage,
    Pick<DumpOptions, 'leaveRunning' | 'tcpSkipInFlight' | 'pageServer' | 'parentImg' | 'statusFd' | 'overwrite'> {
  /** The memory alone, and the container goes on: a later checkpoint that names this image by `parentImg` saves what has changed since. Default: false. */
  readonly preDump?: boolean | undefined
}

export interface RestoreOptions extends CheckpointImage, Pick<CriuRestoreOptions, 'lsmProfile' | 'lsmMountContext'> {}

/**
 * The streams of what is brought back, and who is told of it. Its program, its user and its limits are those of the image; `noNewPrivileges`, too: given, a CRIU
 * that does not bring it back is warned of.
 */
export type RestoreSpec = Pick<
  ProcessSpec,
  'stdio' | 'terminal' | 'plainNewlines' | 'consoleSocket' | 'pidfdSocket' | 'signal' | 'noNewPrivileges'
>

/** Checks what both ask, before anything is touched. @throws {ConfigInvalid} */
export function checkImage(options: CheckpointImage): void {
  for (const field of ['imagesDir', 'workDir'] as const) {
    const path = options[field]
    if (path === undefined && field === 'workDir') continue
    if (path === undefined || !kernelString(path, field).startsWith('/'))
      throw new ConfigInvalid(field, path, 'must be an absolute path: of a directory of the host')
  }
}

/** @throws {ConfigInvalid} for what is no part of a memory dump */
export function checkCheckpoint(options: CheckpointOptions): void {
  checkImage(options)
  const { preDump, lazyPages, statusFd } = options
  if (preDump && lazyPages)
    throw new ConfigInvalid('lazyPages', lazyPages, 'is not for preDump, which copies the pages')
  if (statusFd !== undefined && !lazyPages)
    throw new ConfigInvalid('statusFd', statusFd, 'is told when lazy pages are ready: set lazyPages')
}
