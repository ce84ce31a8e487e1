import { sleep } from './process/wait.js'

/** In milliseconds. */
const LONGEST_PAUSE = 32

/**
 * Asks for what somebody else still has until it is to be had. The kernel is never asked to wait: one host runs all in one thread, which meanwhile serves
 * signals and timers.
 *
 * @param ask - answers `undefined` while somebody else has it
 * @param patience - how long, in milliseconds; then the answer is `undefined`
 * @param meanwhile - called each time that it was not to be had; what it throws ends the asking
 */
export async function tryAgain<T>(
  ask: () => Promise<T | undefined>,
  patience: number,
  meanwhile?: () => Promise<void>,
): Promise<T | undefined> {
  for (let pause = 1, waited = 0; ; waited += pause, pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const result = await ask()
    if (result !== undefined) return result
    await meanwhile?.()
    if (waited >= patience) return undefined
    await sleep(pause)
  }
}

const EAGAIN = -11

/** The same of a native call, whose answer for that is `EAGAIN`. */
export async function callAgain(call: () => Promise<number>, patience: number): Promise<number> {
  const ask = async (): Promise<number | undefined> => {
    const result = await call()
    return result === EAGAIN ? undefined : result
  }
  return (await tryAgain(ask, patience)) ?? EAGAIN
}
