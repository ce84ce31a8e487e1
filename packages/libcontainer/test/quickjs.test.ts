import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as libcontainer from 'libcontainer'
import { beforeAll, expect, test } from 'vitest'
import { buildExecutable } from '../../../scripts/binary/executable.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const program = join(root, '.cache/binary/test-libcontainer')
const linked = { libcontainer: '1.2.3', '@libcontainer/sys': '1.2.4' }

beforeAll(async () => {
  const versions = `${program}-versions`
  mkdirSync(dirname(versions), { recursive: true })
  writeFileSync(versions, JSON.stringify(linked))
  await buildExecutable({
    entry: 'packages/libcontainer/test/quickjs.ts',
    output: program,
    assets: [
      { name: 'versions', file: versions },
      { name: 'init', file: join(root, `packages/init/prebuilds/linux-${process.arch}/init`) },
    ],
  })
}, 600_000)

/** What the executable prints: all of the library, in the other engine. */
function answer(act: string): unknown {
  const { status, stdout, stderr } = spawnSync(program, [act], { encoding: 'utf8', timeout: 20_000 })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('D-10 features are the same in both engines', () => {
  expect(answer('features')).toEqual(libcontainer.features())
})

test('D-10 probe finds the same in both engines', async () => {
  const here = Object.entries(await libcontainer.probe()).map(([name, { available }]) => [name, available])
  expect(answer('probe')).toEqual(here)
})

test('MP-03 versions of an executable are those that it was linked with', () => {
  expect(answer('versions')).toMatchObject({
    packages: { ...linked, '@libcontainer/mount': 'unknown' },
    oci: libcontainer.OCI_VERSIONS,
    engine: expect.stringMatching(/^quickjs \d/),
  })
})
