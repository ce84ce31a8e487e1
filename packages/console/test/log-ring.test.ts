import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { FileLog, MemoryLog, readFileLog } from '@libcontainer/console'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 })

describe('BY-08 what a console said', () => {
  test('BY-08 in memory: the last bytes, whatever came in whatever pieces', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 64 }), async (all, size) => {
        const log = new MemoryLog(size)
        for (const chunk of all) await log.write(chunk)
        const said = Buffer.concat(all)
        expect(Buffer.from(log.read())).toEqual(said.subarray(Math.max(0, said.length - size)))
        expect(log.written).toBe(said.length)
        log.clear()
        expect(log.read()).toHaveLength(0)
      }),
    )
  })

  test('BY-08 in files: at least the last half, never more than all, and gone on with', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 2, max: 64 }), fc.nat(20), async (all, size, again) => {
        using place = temporaryDirectory('log-ring-')
        const path = `${place.path}/console.log`
        let log = await FileLog.open(path, { size })
        for (const [i, chunk] of all.entries()) {
          if (i === again) {
            await log.close()
            log = await FileLog.open(path, { size })
          }
          await log.write(chunk)
        }
        const kept = Buffer.from(await readFileLog(path))
        const said = Buffer.concat(all)
        expect(kept).toEqual(said.subarray(said.length - kept.length))
        expect(kept.length).toBeLessThanOrEqual(size)
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(said.length, Math.floor(size / 2)))
        await log.close()
      }),
      { numRuns: 30 },
    )
  })

  test('BY-08 many writes at once stay in their order; the files are this user’s alone', async () => {
    using place = temporaryDirectory('log-ring-')
    const path = `${place.path}/console.log`
    {
      await using log = await FileLog.open(path, { size: 20 })
      await Promise.all(Array.from('abcdefghijklmnopqrstuvwxyz', letter => log.write(Buffer.from(letter))))
    }
    expect(Buffer.from(await readFileLog(path)).toString()).toBe('klmnopqrstuvwxyz')
    expect(readFileSync(path, 'utf8')).toBe('uvwxyz')
    expect(readdirSync(place.path).sort()).toEqual(['console.log', 'console.log.1'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    // What another size has left is turned out in time.
    writeFileSync(path, 'x'.repeat(100))
    await using log = await FileLog.open(path, { size: 20 })
    await log.write(Buffer.from('1234567890abc'))
    await log.write(Buffer.from('defghijklmnop'))
    expect(Buffer.from(await readFileLog(path)).toString()).toBe('abcdefghijklmnop'.slice(-16))
  })

  test('BY-08 sizes that cannot be, and a file that cannot be had', async () => {
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => new MemoryLog(size)).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field: 'size' }))
      await expect(FileLog.open('/nowhere/x', { size })).rejects.toMatchObject({ field: 'size' })
    }
    await expect(FileLog.open('/nowhere/x', { size: 10 })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await readFileLog('/nowhere/x')).toHaveLength(0)
  })
})
