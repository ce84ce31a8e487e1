import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

const executable = hosts.find(({ name }) => name === 'the executable')!

test('PP-25 where it cannot make itself small, it waits as it is: the status is the program’s, and nothing is left', {
  ...executable.needs,
  ...requires('root', 'rootfs', 'program:strace', `file:${executable.command[0]}`),
}, () => {
  using bundle = new Bundle(executable, specOf(['/bin/sh', '-c', 'sleep 0.5; exit 3']))
  const traced = bundle.file('calls')
  const run = (inject: readonly string[]): number | null =>
    spawnSync(
      'strace',
      ['-qq', '-o', traced, '-e', 'trace=memfd_create', ...inject, ...bundle.command(['run', bundle.id])],
      { cwd: bundle.path, stdio: 'ignore', timeout: 20_000 },
    ).status
  const calls = (): string[] =>
    readFileSync(traced, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('memfd_create'))
  expect(run([])).toBe(3)
  const waiter = calls().findIndex(line => line.includes('"waiter"')) + 1
  expect(waiter).toBeGreaterThan(0)
  expect(run(['-e', `inject=memfd_create:error=EMFILE:when=${waiter}`])).toBe(3)
  expect(calls()[waiter - 1]).toMatch(/"waiter".*INJECTED/)
  expect(bundle.left()).toEqual([])
})
