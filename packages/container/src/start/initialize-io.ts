import { changeOwner, type OwnedFd, pipe } from '@libcontainer/sys'
import { openReader, openWriter, type Reader, type Writer } from '#streams'

/** Pipes for a process that somebody else is to start, or that runs as another user. */
export interface ProcessIO {
  /** The process's ends: for `stdio` of its spec. */
  readonly stdio: readonly [OwnedFd, OwnedFd, OwnedFd]
  readonly stdin: Writer
  readonly stdout: Reader
  readonly stderr: Reader
  /** Closes the process's ends once it has them: as long as somebody holds one, its output does not end. */
  closeTheirs(): void
}

/**
 * Makes three pipes whose files belong to a user of this host, so that a process which is mapped to him may open them again by /dev/stdout.
 *
 * @param uid - of the container's root, as this host sees it
 */
export function initializeIO(uid: number, gid: number): ProcessIO {
  const opened: OwnedFd[] = []
  try {
    const pipes = [0, 1, 2].map(() => {
      const { read, write } = pipe()
      opened.push(read, write)
      changeOwner(read, uid, gid)
      changeOwner(write, uid, gid)
      return { read, write }
    })
    const [stdin, stdout, stderr] = pipes as [(typeof pipes)[0], (typeof pipes)[0], (typeof pipes)[0]]
    const stdio = [stdin.read, stdout.write, stderr.write] as const
    return {
      stdio,
      stdin: openWriter(stdin.write),
      stdout: openReader(stdout.read),
      stderr: openReader(stderr.read),
      closeTheirs: () => {
        for (const fd of stdio) fd.close()
      },
    }
  } catch (error) {
    for (const fd of opened) fd.close()
    throw error
  }
}
