import { type SyscallDetail, SyscallError } from '@libcontainer/sys'

/** How far a tree has got. */
export interface RelabelProgress {
  /** How often the tree was, or is being, looked at: the last time finds nothing to change. */
  readonly passes: number
  /** Files that were there, directories and links among them. */
  readonly entries: number
  /** Labels that were written. */
  readonly changed: number
  /** Files that have no label of their own: their file system keeps none, or was mounted with one for all. */
  readonly unsupported: number
  /** Files that were gone when it was their turn. */
  readonly gone: number
}

/** A tree that was not relabelled to the end; what has its label keeps it. */
export class RelabelError extends SyscallError {
  /** What was done before. */
  readonly progress: RelabelProgress

  constructor(errno: number, syscall: string, progress: RelabelProgress, detail: SyscallDetail) {
    const done = `${progress.changed} labels were changed before, and stay so`
    super(errno, syscall, { ...detail, detail: [detail.detail, done].filter(Boolean).join('; ') })
    this.progress = progress
  }
}
