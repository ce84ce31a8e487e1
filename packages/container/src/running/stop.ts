import { ConfigInvalid, later, onAbort, signalNumber, type Waiting } from '@libcontainer/sys'
import type { Container } from '../container.js'
import { ContainerError, type ErrorCode } from '../errors.js'

export interface StopOptions extends Waiting {
  /** Asks its first process to end, by name or number. Default: `stopSignal` of the config, else TERM. */
  readonly stopSignal?: string | number | undefined
  /** How long it is waited for, in milliseconds, before all of it is killed. Default: 10000. */
  readonly timeoutMs?: number | undefined
}

/** The longest that a timer can be set to. */
const LONGEST = 2 ** 31 - 1

/** Asks the first process to end, and kills all of the container when it does not. @returns whether it was killed */
export async function stopContainer(
  container: Container,
  { stopSignal, timeoutMs = 10_000, signal }: StopOptions,
): Promise<boolean> {
  const config = container.config()
  const number = signalNumber(stopSignal ?? config.stopSignal ?? 'SIGTERM', 'stopSignal')
  if (!Number.isInteger(timeoutMs) || timeoutMs < 0 || timeoutMs > LONGEST)
    throw new ConfigInvalid('timeoutMs', timeoutMs, `must be milliseconds, from 0 to ${LONGEST}`)
  signal?.throwIfAborted()
  const status = await container.status()
  if (status === 'stopped') return false
  // What has no program yet has nothing to do before its end.
  const asked = timeoutMs > 0 && status !== 'created'
  if (asked) {
    await unless('ContainerNotRunning', container.signal(number))
    // Only what goes on can end.
    if (status === 'paused') await unless('NotPaused', container.resume())
  }
  const ended = asked && (await endsWithin(container, timeoutMs, signal))
  if (!ended) await unless('ContainerNotRunning', container.signal('KILL'))
  // What it leaves in a pid namespace of others lives on.
  const sharesPids = !config.namespaces.some(({ kind, path }) => kind === 'pid' && path === undefined)
  if (ended && sharesPids) await unless('CgroupNotExist', container.signal('KILL', { all: true }))
  await container.ended({ signal })
  await unless('ProcessNotExecuted', container.wait({ signal }))
  return !ended
}

/** Waits for an act; that it was not to be done any more is fine. */
async function unless(code: ErrorCode, act: Promise<unknown>): Promise<void> {
  try {
    await act
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== code) throw error
  }
}

async function endsWithin(container: Container, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  const over = new AbortController()
  let late = false
  const forget = later(ms, () => {
    late = true
    over.abort()
  })
  const deaf = onAbort(signal, () => over.abort(signal?.reason))
  try {
    await container.ended({ signal: over.signal })
    return true
  } catch (error) {
    if (!late || signal?.aborted) throw error
    return false
  } finally {
    forget()
    deaf()
  }
}
