// The programs of READMEs, beside the packages that install.mjs has installed, as whoever runs this.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = process.env.LIBCONTAINER_TESTS_INSTALLED!

test('they are the packages that were installed', () => {
  const { resolve } = createRequire(join(folder, 'program.js'))
  const scope = join(folder, 'node_modules/@libcontainer')
  for (const name of readdirSync(scope)) expect(resolve(`@libcontainer/${name}`)).toContain(join(scope, name))
})

test.each(readdirSync(folder).filter(name => name.endsWith('.mjs')))('%s of a README runs', name => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(folder, name)], {
    cwd: '/',
    encoding: 'utf8',
    timeout: 120_000,
  })
  const output = status === 0 ? '' : stdout + stderr
  expect({ status, signal, output }).toEqual({ status: 0, signal: null, output: '' })
})
