import type { StdioMode } from '@libcontainer/console'
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

/** The streams of {@link stdioMode}, for a program without a terminal of its own: ours as they are, and pipes for those that it must not hold. */
export function openStreams({ stdio: passed = [] }: { readonly stdio: StdioMode['stdio'] | readonly [] }): Streams {
  const theirs: OwnedFd[] = []
  const stdio: [Stdio, Stdio, Stdio] = ['inherit', 'inherit', 'inherit']
  const pipes: [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined] = [undefined, undefined, undefined]
  for (const fd of [0, 1, 2] as const) {
    if (passed[fd] !== 'pipe') continue
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
