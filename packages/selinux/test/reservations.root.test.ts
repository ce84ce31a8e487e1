import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { clearLevels, parseLevel, releaseLevel, reserveLevel, reserveUniqueLevel } from '@libcontainer/selinux'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

const held = (directory: string) =>
  readdirSync(directory)
    .filter(name => name !== 'lock')
    .sort()

test('SE-06 each gets two categories that nobody else has, until all are taken', async () => {
  using place = temporaryDirectory('selinux-levels-')
  const directory = place.path
  const of = parseLevel('s0:c3.c6,c9')
  const levels = await Promise.all(Array.from({ length: 10 }, () => reserveUniqueLevel(of, { directory })))
  expect(new Set(levels).size).toBe(10)
  for (const level of levels) expect(level).toMatch(/^s0:c[34569],c[4569]$/)
  expect(held(directory)).toEqual([...levels].sort())
  await expect(reserveUniqueLevel(of, { directory })).rejects.toMatchObject({
    code: 'CategoriesExhausted',
    message: 'all 10 pairs of s0:c3.c6,c9 are reserved',
    hint: expect.stringContaining(directory),
  })
  // Given back, it is the next one's.
  await releaseLevel(levels[4]!, { directory })
  await releaseLevel(levels[4]!, { directory })
  expect(await reserveUniqueLevel(of, { directory })).toBe(levels[4])
  await clearLevels({ directory })
  expect(held(directory)).toEqual([])
})

test('SE-06 of all categories, and never those of containers without labels', async () => {
  using place = temporaryDirectory('selinux-levels-')
  const directory = place.path
  const level = await reserveUniqueLevel(undefined, { directory })
  const [, first, second] = /^s0:c(\d+),c(\d+)$/.exec(level)!.map(Number)
  expect(first).toBeLessThan(second!)
  expect(second).toBeLessThan(1024)
  const last = { sensitivity: 0, categories: [[1022, 1023]] as const }
  await expect(reserveUniqueLevel(last, { directory })).rejects.toMatchObject({ code: 'CategoriesExhausted' })
})

test('SE-13 a level that is named may have several owners, and is free when the last has gone', async () => {
  using place = temporaryDirectory('selinux-levels-')
  const directory = place.path
  const [one, two] = ['one', 'two'].map(name => `${place.path}-${name}`) as [string, string]
  const of = parseLevel('s0:c1,c2')
  try {
    for (const owner of [one, two]) mkdirSync(owner)
    await reserveLevel('s0:c2,c1', { directory, owner: one })
    await reserveLevel('s0:c1,c2', { directory, owner: one })
    await reserveLevel('s0:c1,c2', { directory, owner: two })
    expect(held(directory)).toEqual(['s0:c1,c2'])
    await releaseLevel('s0:c1,c2', { directory, owner: one })
    await expect(reserveUniqueLevel(of, { directory })).rejects.toMatchObject({ code: 'CategoriesExhausted' })
    // What the owner was at is gone: nobody had to give it back.
    rmSync(two, { recursive: true })
    expect(await reserveUniqueLevel(of, { directory })).toBe('s0:c1,c2')
    await expect(reserveLevel('../../etc/passwd', { directory })).rejects.toThrow(/^level: must /)
    await expect(reserveLevel('s0', { directory, owner: 'here' })).rejects.toThrow(/^owner: must be an absolute path/)
  } finally {
    for (const owner of [one, two]) rmSync(owner, { recursive: true, force: true })
  }
})

test('SE-06 several processes never get the same, and what one that was killed had is free again', async () => {
  using place = temporaryDirectory('selinux-levels-')
  const program = `
    import { parseLevel, reserveUniqueLevel } from '@libcontainer/selinux'
    const options = { directory: ${JSON.stringify(place.path)} }
    const levels = await Promise.all(Array.from({ length: 15 }, () => reserveUniqueLevel(parseLevel('s0:c0.c9'), options)))
    console.log(JSON.stringify(levels))
    setInterval(() => {}, 100_000)`
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  try {
    const levels = await Promise.all(
      children.map(async child => JSON.parse(String((await once(child.stdout, 'data'))[0])) as string[]),
    )
    expect(new Set(levels.flat()).size).toBe(45)
    const options = { directory: place.path }
    const of = parseLevel('s0:c0.c9')
    await expect(reserveUniqueLevel(of, options)).rejects.toMatchObject({ code: 'CategoriesExhausted' })
    children[1]!.kill('SIGKILL')
    await once(children[1]!, 'close')
    expect(levels[1]).toContain(await reserveUniqueLevel(of, options))
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
})

test('SE-06 a process that cannot be seen from here counts as alive, and a broken file as nobody', async () => {
  using place = temporaryDirectory('selinux-levels-')
  const directory = place.path
  const of = parseLevel('s0:c1,c2')
  writeFileSync(`${directory}/s0:c1,c2`, 'process 1 1 1\n')
  await expect(reserveUniqueLevel(of, { directory })).rejects.toMatchObject({ code: 'CategoriesExhausted' })
  writeFileSync(`${directory}/s0:c1,c2`, 'nonsense\nprocess\npath\n')
  expect(await reserveUniqueLevel(of, { directory })).toBe('s0:c1,c2')
  expect(readFileSync(`${directory}/s0:c1,c2`, 'utf8')).toMatch(new RegExp(`^process \\d+ ${process.pid} \\d+\n$`))
})
