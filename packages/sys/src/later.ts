import * as host from '#host'

export interface LaterOptions {
  /** Lets the program end before. Default: `false`. */
  weak?: boolean | undefined
}

/**
 * Calls `act` after so many milliseconds.
 *
 * @returns a function that takes it back
 */
export function later(ms: number, act: () => void, { weak }: LaterOptions = {}): () => void {
  const { cancel } = host.timer(ms, act, weak)
  return cancel
}
