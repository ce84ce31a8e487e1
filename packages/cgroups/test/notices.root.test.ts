import { spawn } from 'node:child_process'
import { Cgroup, cgroupHost, type OomEvent, type PressureLevel } from '@libcontainer/cgroups'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const needs = requires('root')
let count = 0
const path = (): string => `/lc-notices-${process.pid}-${++count}`

/** Runs JavaScript in the cgroup, which it enters before it begins. */
async function inside(cgroup: Cgroup, program: string): Promise<NodeJS.Signals | number | null> {
  const child = spawn(
    process.execPath,
    ['-e', `process.stdin.once('data', () => { process.stdin.unref(); ${program} })`],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  )
  await cgroup.add(child.pid!)
  const ended = new Promise<NodeJS.Signals | number | null>(resolve =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  )
  child.stdin.end('go')
  return await ended
}

const fill = 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'

test('CO-19 tells each time that a cgroup is out of memory, and ends with the cgroup', needs, async () => {
  const cgroup = await Cgroup.create(path(), { memory: { max: 64 << 20 } })
  const events: OomEvent[] = []
  try {
    const listening = (async () => {
      for await (const event of cgroup.oomEvents()) events.push(event)
    })()
    expect(await inside(cgroup, fill)).toBe('SIGKILL')
    expect(await inside(cgroup, fill)).toBe('SIGKILL')
    expect(await cgroup.oomKillCount()).toBe(2)
    await cgroup.destroy()
    await listening
    expect(events.length).toBeGreaterThanOrEqual(1)
    expect(events.at(-1)!.kills).toBeLessThanOrEqual(2)
  } finally {
    await cgroup.kill()
    await cgroup.destroy()
  }
})

test(
  'CO-19 an aborted listener ends with the reason of its signal; a cgroup that is gone is ENOENT',
  needs,
  async () => {
    const cgroup = await Cgroup.create(path())
    try {
      const stop = new AbortController()
      const listening = cgroup.oomEvents({ signal: stop.signal }).next()
      stop.abort(new Error('enough'))
      await expect(listening).rejects.toThrow('enough')
    } finally {
      await cgroup.destroy()
    }
    expect(() => cgroup.oomEvents()).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  },
)

test('CO-20 tells of memory pressure at three levels, by v1 or by stall times', needs, async () => {
  const { mode } = await cgroupHost()
  const cgroup = await Cgroup.create(path(), { memory: { max: 48 << 20 } })
  try {
    await expect(cgroup.memoryPressure('extreme' as PressureLevel)).rejects.toMatchObject({
      name: 'ConfigInvalid',
      field: 'level',
      message: expect.stringContaining('low, medium, critical'),
    })
    const low = await cgroup.memoryPressure('low')
    const others = await Promise.all((['medium', 'critical'] as const).map(level => cgroup.memoryPressure(level)))
    const first = low.next()
    const rest = others.map(each => each.next())
    // Reads more of a file than fits, again and again: what is cached has to be dropped for it.
    const reader = inside(
      cgroup,
      `const fs = require('fs'); const name = '/var/tmp/lc-pressure-' + process.pid
       fs.writeFileSync(name, Buffer.alloc(1 << 20)); for (let i = 0; i < 127; i++) fs.appendFileSync(name, Buffer.alloc(1 << 20))
       for (let i = 0; i < 3; i++) fs.createReadStream(name).resume(); process.once('exit', () => fs.unlinkSync(name))`,
    )
    if (mode !== 'v2') expect(await first).toEqual({ done: false, value: 'low' })
    await reader
    await cgroup.destroy()
    // The removal ends those that have heard nothing.
    for (const each of [first, ...rest]) expect([true, false]).toContain((await each).done)
    expect((await low.return!()).done).toBe(true)
  } finally {
    await cgroup.kill()
    await cgroup.destroy()
  }
})

test('CO-08 limits that are refused half-way leave all of them as they were', needs, async () => {
  const cgroup = await Cgroup.create(path(), { memory: { max: 64 << 20 }, pids: { max: 50 } })
  try {
    const before = await cgroup.stats(['memory', 'pids'])
    // The file of the unified hierarchy is written last.
    await expect(cgroup.set({ memory: { max: 32 << 20 }, unified: { 'cgroup.max.depth': 'deep' } })).rejects.toThrow()
    const after = await cgroup.stats(['memory', 'pids'])
    expect(after.memory!.max).toBe(before.memory!.max)
    expect(after.pids!.max).toBe(before.pids!.max)
  } finally {
    await cgroup.destroy()
  }
})
