import type { Process } from '@libcontainer/container'
import type { Session } from './attend.js'
import type { JsonStatus } from './json-status.js'
import { catchSignals } from './signals.js'
import type { Streams } from './streams.js'
import { becomeSubreaper } from './subreaper.js'

/**
 * Starts a program in the foreground: signals that come from now on are its own, and its terminal follows the size of ours.
 *
 * @param start - starts it, with the streams that were opened for it
 * @param streams - those, where it gets no terminal of its own
 * @param subreaper - adopts what the program leaves behind. Default: true
 * @param told - is told of it
 * @param plainNewlines - its terminal leaves newlines alone: ours adds what it needs
 */
export async function openSession(
  start: () => Promise<Process>,
  {
    streams,
    plainNewlines = false,
    subreaper = true,
    told,
  }: {
    streams?: Streams | undefined
    plainNewlines?: boolean
    subreaper?: boolean
    told?: JsonStatus | undefined
  } = {},
): Promise<Session> {
  const signals = catchSignals()
  const adopt = subreaper ? becomeSubreaper() : undefined
  try {
    const process = await start()
    adopt?.(process)
    streams?.started()
    await told?.started(process)
    const { terminal } = process
    let resized = (): void => undefined
    signals.to(process, terminal === undefined ? undefined : { resized: () => resized() })
    const onResize = (changed: () => void): (() => void) => {
      resized = changed
      return () => {
        resized = () => undefined
      }
    }
    return {
      process,
      terminal,
      pipes: streams?.pipes ?? [undefined, undefined, undefined],
      plainNewlines,
      onResize,
      told,
    }
  } catch (error) {
    streams?.close()
    throw error
  }
}
