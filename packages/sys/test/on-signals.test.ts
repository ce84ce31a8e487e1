import { setTimeout as sleep } from 'node:timers/promises'
import { onSignals } from '@libcontainer/sys'
import { expect, test } from 'vitest'

const SIGUSR2 = 12
const SIGRTMIN = 34

test('onSignals tells of each signal until it is stopped, and leaves alone what the engine cannot listen to', async () => {
  const seen: number[] = []
  const before = process.listenerCount('SIGUSR2')
  // A second listener, so that the signal does not end this process once ours is gone.
  const other = (): void => undefined
  process.on('SIGUSR2', other)
  const listening = onSignals([SIGUSR2, SIGRTMIN], signal => seen.push(signal))
  try {
    process.kill(process.pid, 'SIGUSR2')
    while (seen.length < 1) await sleep(5)
    listening.stop()
    process.kill(process.pid, 'SIGUSR2')
    await sleep(50)
    expect(seen).toEqual([SIGUSR2])
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1)
  } finally {
    process.off('SIGUSR2', other)
  }
})
