import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_LEVELS, Logger, openFile, pipe, readFd } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const code = (name: string) => expect.objectContaining({ code: name })

test('UT-14 JSON lines: level, msg and time as engines read them, and fields', async () => {
  using place = temporaryDirectory('log-')
  const path = join(place.path, 'log')
  const log = await Logger.open({ to: path, format: 'json', level: 'debug', fields: { container: 'demo' } })
  log.debug('one')
  log.info('two', { pid: 7, limit: 18446744073709551615n })
  log.warn('three\n"quoted"')
  log.error('four', { cause: new Error('deep'), msg: 'not the message', __proto__x: 1 })
  await log.close()
  const entries = lines(path).map(line => JSON.parse(line) as Record<string, unknown>)
  expect(entries.map(({ level, msg }) => [level, msg])).toEqual([
    ['debug', 'one'],
    ['info', 'two'],
    ['warning', 'three\n"quoted"'],
    ['error', 'four'],
  ])
  for (const entry of entries) expect(entry).toMatchObject({ container: 'demo', time: expect.stringMatching(time) })
  expect(lines(path)[1]).toContain('"limit":18446744073709551615')
  expect(entries[3]).toMatchObject({ cause: 'deep', 'fields.msg': 'not the message' })
})

test('UT-14 text lines; below the level nothing is written; a file is appended to, with mode 0644 and synced', async () => {
  using place = temporaryDirectory('log-')
  const path = join(place.path, 'log')
  for (const message of ['first', 'second']) {
    const log = await Logger.open({ to: path, level: 'warn' })
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fdOf(path)}`, 'utf8'))?.[1]
    // O_SYNC | O_CLOEXEC | O_LARGEFILE | O_APPEND | O_WRONLY
    expect(Number.parseInt(flags ?? '', 8) & 0o4012001).toBe(0o4012001)
    log.debug('no')
    log.info('no')
    log.warn(message, { path: '/a/b', words: 'a b' })
    await log.close()
  }
  expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask())
  expect(lines(path)).toEqual([
    expect.stringMatching(/^time="[^"]+" level=warning msg="first" path=\/a\/b words="a b"$/),
    expect.stringMatching(/^time="[^"]+" level=warning msg="second" path=\/a\/b words="a b"$/),
  ])
})

test('UT-14 a helper’s lines keep their level and fields; what is no such line is an error', async () => {
  using place = temporaryDirectory('log-')
  const path = join(place.path, 'log')
  const log = await Logger.open({ to: path, format: 'json' })
  log.merge(
    '{"level":"debug","msg":"quiet"}\n{"level":"fatal","msg":"it broke","step":3,"time":"then"}\n\nplain words\n{"level":"odd"}\nnull\n',
  )
  await log.close()
  expect(lines(path).map(line => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: 'error', msg: 'it broke', step: 3, helperTime: 'then' }),
    expect.objectContaining({ level: 'error', msg: 'plain words' }),
    expect.objectContaining({ level: 'error', msg: '{"level":"odd"}' }),
    expect.objectContaining({ level: 'error', msg: 'null' }),
  ])
})

test('UT-14 no message or field makes a second line or another field (property)', async () => {
  using place = temporaryDirectory('log-')
  let files = 0
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.dictionary(fc.string(), fc.string()), async (message, fields) => {
      for (const format of ['json', 'text'] as const) {
        const path = join(place.path, `log${files++}`)
        const log = await Logger.open({ to: path, format })
        log.info(message, fields)
        await log.close()
        const [line, ...more] = lines(path)
        expect(more).toEqual([])
        if (format === 'json') expect(JSON.parse(line!)).toMatchObject({ level: 'info', msg: message })
        else
          expect(line).toMatch(
            /^time="[^"]+" level=info msg="(?:[^"\\]|\\.)*"(?: (?:[\w.:/@+-]+|"(?:[^"\\]|\\.)*")=(?:[\w.:/@+-]+|"(?:[^"\\]|\\.)*"))*$/,
          )
      }
    }),
    { numRuns: 40 },
  )
})

test('UT-14 a descriptor stays its owner’s; order holds; what cannot be written is told by close', async () => {
  const { read, write } = pipe()
  const log = await Logger.open({ to: write, format: 'json' })
  for (let i = 0; i < 20; i++) log.info(`line ${i}`)
  await log.close()
  const buffer = new Uint8Array(65536)
  const text = new TextDecoder().decode(buffer.subarray(0, await readFd(read.fd, buffer)))
  expect([...text.matchAll(/"msg":"(.*?)"/g)].map(([, message]) => message)).toEqual(
    Array.from({ length: 20 }, (_, i) => `line ${i}`),
  )
  expect(write.closed).toBe(false)
  const full = await openFile('/dev/full', 1)
  const broken = await Logger.open({ to: full })
  broken.info('lost')
  await expect(broken.close()).rejects.toEqual(code('ENOSPC'))
  broken.info('lost again')
  await expect(broken.flush()).rejects.toEqual(code('ENOSPC'))
  for (const fd of [read, write, full]) fd.close()
})

test('UT-14 unknown levels and formats, and a file that cannot be opened', async () => {
  await expect(Logger.open({ level: 'loud' as 'info' })).rejects.toEqual(code('ConfigInvalid'))
  await expect(Logger.open({ format: 'xml' as 'json' })).rejects.toEqual(code('ConfigInvalid'))
  await expect(Logger.open({ to: '/nonexistent/log' })).rejects.toEqual(
    expect.objectContaining({ code: 'ENOENT', path: '/nonexistent/log' }),
  )
  expect(LOG_LEVELS).toEqual(['debug', 'info', 'warn', 'error'])
})

function fdOf(path: string): string {
  const fds = Array.from({ length: 200 }, (_, i) => String(i)).filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })
  return fds[0]!
}
