import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Step } from '@libcontainer/sys'
import { afterAll, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'
import { hideMemoryStep } from '../src/steps.js'

const driver = new Driver(['namespaces'])
afterAll(() => driver.close())

const ask: Step = { op: 'driverAsk', args: ['ready'], about: 'ask' }

/** Whose the files in /proc are of a process of an ordinary user that has applied steps. */
async function owner(steps: readonly Step[]): Promise<number> {
  const child = driver.start([...steps, ask], { uid: 4242, gid: 4343 })
  try {
    await once(child.stdout!, 'data')
    return statSync(`/proc/${child.pid}/fd`).uid
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

test(
  'NS-15 a process that hides its memory is root’s to look through, whoever it runs as',
  requires('root', 'program:gcc'),
  async () => {
    expect(await owner([])).toBe(4242)
    expect(await owner([hideMemoryStep()])).toBe(0)
  },
)
