import { sleep } from './wait.js'

const EAGAIN = -11
/** In milliseconds. */
const PATIENCE = 30_000
const LONGEST_PAUSE = 32

/**
 * Asks for what somebody else still has until it is to be had, for half a minute: the answer is `EAGAIN` then, since whoever takes longer stands still. The
 * kernel is never asked to wait: one host runs all in one thread, which meanwhile serves signals and timers.
 */
export async function tryAgain(ask: () => Promise<number>, patience: number = PATIENCE): Promise<number> {
  for (let pause = 1, waited = 0; ; waited += pause, pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const result = await ask()
    if (result !== EAGAIN || waited >= patience) return result
    await sleep(pause)
  }
}
