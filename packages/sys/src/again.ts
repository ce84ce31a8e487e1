import { sleep } from './wait.js'

const EAGAIN = -11
/** In milliseconds. */
const LONGEST_PAUSE = 32

/**
 * Asks for what somebody else still has until it is to be had. The kernel is never asked to wait: one host runs all in one thread, which meanwhile serves
 * signals and timers.
 *
 * @param patience - how long, in milliseconds; then the answer is `EAGAIN`
 */
export async function tryAgain(ask: () => Promise<number>, patience: number): Promise<number> {
  for (let pause = 1, waited = 0; ; waited += pause, pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const result = await ask()
    if (result !== EAGAIN || waited >= patience) return result
    await sleep(pause)
  }
}
