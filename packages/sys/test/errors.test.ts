import {
  ConfigInvalid,
  captureStack,
  detail,
  errorNumber,
  errorText,
  LibcontainerError,
  parseStack,
  SyscallError,
} from '@libcontainer/sys'
import { expect, test } from 'vitest'

function refused(): SyscallError {
  return new SyscallError(1, 'mount', { path: '/proc', step: 'step 14: mount proc on /proc', hint: 'be root' })
}

test('ER-12 detail: time, code and its text, message, hint, and the stack with package, function, file and line', () => {
  const before = Date.now()
  const error = refused()
  const parts: string[] = []
  const text = error.detail({ write: part => parts.push(part) })
  expect(parts).toEqual([text])
  expect(text).toBe(detail(error))
  const [timestamp, code, empty, message, hint] = text.split('\n')
  const time = Date.parse(timestamp!.replace('Timestamp: ', ''))
  expect(time).toBeGreaterThanOrEqual(before)
  expect(time).toBeLessThanOrEqual(Date.now())
  expect(error.time.getTime()).toBe(time)
  expect(code).toBe('Code: EPERM (8, System error)')
  expect(empty).toBe('')
  expect(message).toBe(`Message: ${error.message}`)
  expect(hint).toBe('Hint: be root')
  expect(text).toMatch(/\nFrames:\n---\n0: refused\nPackage: .*\nFile: .*errors\.test\.ts@\d+\n/)
})

test('ER-12 causes follow, whatever they are, and a ring of them ends', () => {
  const inner = refused()
  const outer = new LibcontainerError('SystemError', 'cannot start', { cause: new Error('between', { cause: inner }) })
  const text = outer.detail()
  expect(text.match(/Caused by/g)).toHaveLength(2)
  expect(text.indexOf('Code: SystemError (8, System error)')).toBeLessThan(text.indexOf('Code: Error'))
  expect(text.indexOf('Code: Error')).toBeLessThan(text.indexOf('Code: EPERM'))
  const ring = new Error('a')
  ring.cause = ring
  expect(detail(ring)).not.toContain('Caused by')
  expect(detail('a mere string')).toBe('Code: none\n\nMessage: a mere string\n')
  expect(detail(undefined)).toBe('')
})

test('ER-13 names, numbers and fixed texts of 2015; younger codes have no number', () => {
  const codes = [
    ['IdInUse', 'Id already in use'],
    ['InvalidIdFormat', 'Invalid format'],
    ['ContainerNotExists', 'Container does not exist'],
    ['ContainerPaused', 'Container paused'],
    ['ContainerNotStopped', 'Container is not stopped'],
    ['ContainerNotRunning', 'Container is not running'],
    ['ProcessNotExecuted', 'Process not executed'],
    ['ConfigInvalid', 'Invalid configuration'],
    ['SystemError', 'System error'],
  ]
  codes.forEach(([code, text], number) => {
    expect(errorNumber(code!)).toBe(number)
    expect([errorText(code!), errorText(number)]).toEqual([text, text])
    expect(new LibcontainerError(code!, 'x').number).toBe(number)
  })
  expect(errorText('NotPaused')).toBeUndefined()
  expect([errorText(9), errorText(-1)]).toEqual([undefined, undefined])
  expect(new LibcontainerError('NotPaused', 'x').number).toBeUndefined()
  expect(new ConfigInvalid('rootfs', 1, 'must be text').number).toBe(7)
  expect(refused().number).toBe(8)
})

test('ER-10 a refused call has code, errno, syscall, path and step, and reads as Node.js writes it', () => {
  expect(refused()).toMatchObject({
    code: 'EPERM',
    errno: -1,
    syscall: 'mount',
    path: '/proc',
    step: 'step 14: mount proc on /proc',
  })
  expect(refused().message).toBe("step 14: mount proc on /proc: EPERM: operation not permitted, mount '/proc'")
})

test('UT-13 captureStack: the calls that led here, the innermost first', () => {
  function inner() {
    return captureStack()
  }
  function outer() {
    return inner()
  }
  const [first, second] = outer()
  expect(first).toMatchObject({
    function: 'inner',
    file: expect.stringContaining('errors.test.ts'),
    line: expect.any(Number),
  })
  expect(second?.function).toBe('outer')
  const skipped = (() => captureStack(1))()
  expect(skipped[0]?.function).not.toBe('captureStack')
})

test('UT-13 frames of V8 and of QuickJS; what is no frame of a file is left out', () => {
  const v8 = `Error: text with at (odd:1:2) words
    at Module.openPidfd (file:///x/node_modules/@libcontainer/sys/dist/process.js:39:24)
    at async Container.start (/src/packages/container/dist/container.js:10:5)
    at new Console (/src/packages/console/src/pty.ts:7:1)
    at file:///home/me/program.mjs:11:31
    at Array.map (<anonymous>)
    at <anonymous>
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`
  expect(parseStack(v8)).toEqual([
    {
      package: '@libcontainer/sys',
      function: 'openPidfd',
      file: 'file:///x/node_modules/@libcontainer/sys/dist/process.js',
      line: 39,
    },
    {
      package: '@libcontainer/container',
      function: 'Container.start',
      file: '/src/packages/container/dist/container.js',
      line: 10,
    },
    { package: '@libcontainer/console', function: 'Console', file: '/src/packages/console/src/pty.ts', line: 7 },
    { package: '', function: '', file: 'file:///home/me/program.mjs', line: 11 },
    { package: '', function: 'process.processTicksAndRejections', file: 'node:internal/process/task_queues', line: 95 },
  ])
  const quickjs =
    '    at checked (packages/sys/dist/errors.js:88:15)\n    at <anonymous> (packages/nsinit/dist/main.js:3)\n    at apply (native)\n'
  expect(parseStack(quickjs)).toEqual([
    { package: '@libcontainer/sys', function: 'checked', file: 'packages/sys/dist/errors.js', line: 88 },
    { package: 'nsinit', function: '', file: 'packages/nsinit/dist/main.js', line: 3 },
  ])
  expect(parseStack(undefined)).toEqual([])
})
