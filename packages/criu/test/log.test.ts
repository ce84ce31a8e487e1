import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseLog } from '../src/log.js'
import { remedyOf } from '../src/remedies.js'

const log = `(00.003240) Version: 3.17.1 (gitid 0)
(00.030964) Dumping processes (pid: 186)
(00.105081) Detected cgroup V1 freezer
(00.119217) Seized task 186, state 1
(00.163122) Lock network
(00.200000) Dumping task (pid: 186 comm: sh)
(00.210000) Warn  (criu/image.c:134): Failed to open parent directory
(00.300000)    186: Error (criu/sk-inet.c:191): Connected TCP socket, consider using --tcp-established option.
(00.310000) Error (criu/cr-dump.c:1768): Dump files (pid: 186) failed with -1
(00.320000) Unlock network
(00.330000) Error (criu/cr-dump.c:2053): Dumping FAILED.
`

test('CR-19 errors of a log, each with its source, process and time, and what CRIU was at', () => {
  const { errors, phase, phases, lines } = parseLog(log)
  expect(errors.map(({ text }) => text)).toEqual([
    'Connected TCP socket, consider using --tcp-established option.',
    'Dump files (pid: 186) failed with -1',
    'Dumping FAILED.',
  ])
  expect(errors[0]).toEqual({
    level: 'error',
    time: 0.3,
    pid: 186,
    source: 'criu/sk-inet.c:191',
    text: errors[0]!.text,
  })
  expect(lines.find(({ level }) => level === 'warn')).toMatchObject({ source: 'criu/image.c:134', pid: undefined })
  expect(phase).toBe('dumping processes')
  expect(phases.map(({ name, start }) => [name, start])).toEqual([
    ['starting', 0.030964],
    ['freezing processes', 0.119217],
    ['locking the network', 0.163122],
    ['dumping processes', 0.2],
    ['unlocking the network', 0.32],
  ])
  for (const { start, end } of phases) expect(end).toBeGreaterThan(start)
})

test('CR-19 a log of a low level, of nothing, and of anything', () => {
  expect(parseLog('Error (criu/a.c:1): no\nError (criu/a.c:1): no\n').errors).toEqual([
    { level: 'error', time: undefined, pid: undefined, source: 'criu/a.c:1', text: 'no' },
  ])
  expect(parseLog('')).toEqual({ lines: [], errors: [], phase: undefined, phases: [] })
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const { lines } = parseLog(text)
      expect(lines.length).toBe(text.split('\n').filter(line => line !== '').length)
    }),
  )
})

test.each([
  ['Connected TCP socket, consider using --tcp-established option.', /tcpEstablished/],
  ['The root process 186 is not a session leader. Consider using --shell-job option', /shellJob/],
  ["Can't dump half of stream unix connection.", /extUnixSk/],
  ['Some file locks are hold by dumping tasks! You can try --file-locks to dump them.', /fileLocks/],
  ["Can't write data: No space left on device", /disk of the images is full/],
  ['cg: Abort restore of existing cgroups', /soft, or full/],
  ["Can't fork for 227: File exists", /has this pid already/],
  ['Unable to interrupt task: 187 (No such process)', undefined],
])('CR-19 a first remedy for: %s', (line, remedy) => {
  const found = remedyOf([line])
  if (remedy === undefined) expect(found).toBeUndefined()
  else expect(found).toMatch(remedy)
})
