import { isTerminal } from '@libcontainer/console'
import type { Stdio } from '@libcontainer/container'
import { type OwnedFd, pipe } from '@libcontainer/sys'

/** The standard streams of a program without a terminal of its own. */
export interface Streams {
  readonly stdio: readonly [Stdio, Stdio, Stdio]
  /** Our ends of the pipes that stand for streams of ours that are a terminal. */
  readonly pipes: readonly [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined]
  /** Closes the program's ends, once it has them. */
  started(): void
  close(): void
}

/**
 * Our own streams as they are, but for a terminal, which the program must not hold: with it, it could push characters into the input of
 * the user's shell. There it gets a pipe.
 */
export function openStreams(): Streams {
  const theirs: OwnedFd[] = []
  const stdio: [Stdio, Stdio, Stdio] = ['inherit', 'inherit', 'inherit']
  const pipes: [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined] = [undefined, undefined, undefined]
  for (const fd of [0, 1, 2] as const) {
    if (!isTerminal(fd)) continue
    const { read, write } = pipe()
    const [ours, program] = fd === 0 ? [write, read] : [read, write]
    pipes[fd] = ours
    stdio[fd] = program
    theirs.push(program)
  }
  const started = (): void => {
    for (const fd of theirs) fd.close()
  }
  return {
    stdio,
    pipes,
    started,
    close: () => {
      started()
      for (const fd of pipes) fd?.close()
    },
  }
}
