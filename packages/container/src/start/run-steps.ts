import { announceExec, type BootstrapOptions, bootstrap, endProcess } from '@libcontainer/init'
import { later, openNull, type Step, waitExit } from '@libcontainer/sys'

export interface RunStepsOptions extends Pick<BootstrapOptions, 'handed' | 'rendezvous' | 'cloneFlags'> {
  /** Ends it by then. Default: never. */
  readonly timeoutMs?: number | undefined
}

/** Applies steps in a process that is made for them, and ends with them. Nothing of it is left. */
export async function runSteps(steps: readonly Step[], { timeoutMs, ...options }: RunStepsOptions = {}): Promise<void> {
  const nothing = openNull()
  const over = new AbortController()
  const onTime =
    timeoutMs === undefined
      ? undefined
      : later(
          timeoutMs,
          () => over.abort(new Error(`${steps[0]!.about}, and so on: took longer than ${timeoutMs} ms`)),
          {
            weak: true,
          },
        )
  try {
    const { pidfd } = await bootstrap({
      ...options,
      steps: [...steps, announceExec, endProcess],
      stdio: [nothing.fd, nothing.fd, nothing.fd],
      signal: timeoutMs === undefined ? undefined : over.signal,
    })
    await waitExit(pidfd)
    pidfd.close()
  } finally {
    onTime?.()
    nothing.close()
  }
}
