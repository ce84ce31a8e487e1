import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { outcome } from '../../../test/support/index.js'

const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))
const run = (...args: string[]) =>
  outcome(spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 60_000 }))

test('help, version, and words that are unknown, with what may have been meant', () => {
  expect(run('help', 'netns').stdout).toMatch(/^NAME\n {4}netlink netns/)
  expect(run('link', '--help').stdout).toMatch(/^NAME\n {4}netlink link/)
  expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+/)
  expect(run('lnik')).toEqual({
    status: 125,
    stdout: '',
    stderr: "netlink: there is no command 'lnik'; did you mean 'link'?\n  try 'netlink help'\n",
  })
})
