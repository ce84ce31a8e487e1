import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorCodes } from '@libcontainer/container'
import { expect, test } from 'vitest'

const packages = readdirSync(fileURLToPath(new URL('../packages', import.meta.url))).filter(
  name => !['nsinit', 'lcrun', 'libcontainer'].includes(name),
)

async function exportsOf(name: string): Promise<[string, unknown][]> {
  return Object.entries((await import(`@libcontainer/${name}`)) as object)
}

test.each(packages)('D-07 %s: what may block has a promise, and no twin that blocks', async name => {
  const names = (await exportsOf(name)).flatMap(([name, value]) =>
    typeof value === 'function' ? [name, ...Object.getOwnPropertyNames(value.prototype ?? {})] : [name],
  )
  expect(names.filter(each => /Sync$/.test(each))).toEqual([])
})

/** The errors of today's Go library, and the code that means the same. */
const goErrors = {
  ErrExist: 'IdInUse',
  ErrInvalidID: 'InvalidIdFormat',
  ErrNotExist: 'ContainerNotExists',
  ErrPaused: 'ContainerPaused',
  ErrRunning: 'ContainerNotStopped',
  ErrNotRunning: 'ContainerNotRunning',
}

test('D-13 one set of codes is raised, that of 2015', async () => {
  for (const code of Object.values(goErrors)) expect(errorCodes).toContain(code)
  const names = (await Promise.all(packages.map(exportsOf))).flat().map(([name]) => name)
  expect(names.filter(name => /^Err[A-Z]/.test(name))).toEqual([])
})
