import { hookPoints, validateShape } from '@libcontainer/container'
import { expect, test } from 'vitest'

const problems = (hooks: unknown): string[] => validateShape({ rootfs: '/r', hooks } as never).map(({ field }) => field)

test('EV-125 a hook’s path must be absolute, its time-out above nothing, its fields known', () => {
  expect(
    problems({ poststart: [{ path: '/bin/true', args: ['true'], env: ['A='], timeoutMs: 1 }], poststop: [] }),
  ).toEqual([])
  for (const [command, field] of [
    [{ path: 'bin/true' }, 'path'],
    [{ path: '' }, 'path'],
    [{}, 'path'],
    [{ path: '/bin/true\0' }, 'path'],
    [{ path: '/bin/true', timeoutMs: 0 }, 'timeoutMs'],
    [{ path: '/bin/true', timeoutMs: -1 }, 'timeoutMs'],
    [{ path: '/bin/true', timeoutMs: Number.NaN }, 'timeoutMs'],
    [{ path: '/bin/true', timeoutMs: '1' }, 'timeoutMs'],
    [{ path: '/bin/true', args: [] }, 'args'],
    [{ path: '/bin/true', args: [1] }, 'args[0]'],
    [{ path: '/bin/true', env: ['=x'] }, 'env[0]'],
    [{ path: '/bin/true', env: {} }, 'env'],
    [{ path: '/bin/true', timeout: 3 }, 'timeout'],
  ] as const) {
    expect(problems({ poststop: [command] }), JSON.stringify(command)).toEqual([`hooks.poststop[0].${field}`])
  }
  expect(problems({ before: [] })).toEqual(['hooks.before'])
  expect(problems({ poststart: {} })).toEqual(['hooks.poststart'])
  expect(problems({ poststart: ['/bin/true'] })).toEqual(['hooks.poststart[0]'])
  expect(problems([])).toEqual(['hooks'])
  expect(problems(Object.fromEntries(hookPoints.map(point => [point, [{ path: '/bin/true' }]])))).toEqual([])
})

test('HK-11 the files of hooks’ output are absolute paths', () => {
  const fields = (hookOutput: unknown) =>
    validateShape({ rootfs: '/r', hookOutput } as never).map(({ message }) => message)
  expect(fields({ stdout: '/var/log/hooks', stderr: '/dev/null' })).toEqual([])
  expect(fields({ stdout: 'log' })).toEqual([
    expect.stringMatching(/^hookOutput.stdout: must be the absolute path of a file/),
  ])
  expect(fields({ stdin: '/x' })).toEqual([expect.stringMatching(/^hookOutput.stdin: must be stdout or stderr/)])
  expect(fields('/x')).toEqual([expect.stringMatching(/^hookOutput: must be \{ stdout, stderr \}/)])
})
