import { type StdioRequest, stdioMode } from '@libcontainer/console'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const path = '/run/console.sock'

test('CN-12 new terminal or own streams, in the foreground or detached: four modes', () => {
  const none = { consoleSocket: undefined, stdio: undefined, warning: undefined }
  const inherit = ['inherit', 'inherit', 'inherit']
  expect(stdioMode({ terminal: true, detached: false })).toEqual({ ...none, kind: 'relay' })
  expect(stdioMode({ terminal: true, detached: true, consoleSocket: path })).toEqual({
    ...none,
    kind: 'socket',
    consoleSocket: path,
  })
  expect(stdioMode({ terminal: false, detached: false })).toEqual({ ...none, kind: 'carry', stdio: inherit })
  expect(stdioMode({ terminal: false, detached: true })).toEqual({ ...none, kind: 'inherit', stdio: inherit })
})

test('CN-12, EV-122 what has no meaning is refused, and the message names the modes that have', () => {
  const refused = (request: StdioRequest, field: string, message: RegExp): void => {
    expect(() => stdioMode(request)).toThrow(ConfigInvalid)
    expect(() => stdioMode(request)).toThrow(
      expect.objectContaining({ field, message: expect.stringMatching(message) }),
    )
  }
  refused(
    { terminal: true, detached: true },
    'process.terminal',
    /--console-socket; or stay in the foreground.* or ask for no terminal/,
  )
  refused({ terminal: true, detached: true, terminalField: '--tty' }, '--tty', /--console-socket/)
  refused(
    { terminal: true, detached: false, consoleSocket: path },
    '--console-socket',
    /--detach .*leave the socket out/,
  )
  for (const detached of [false, true])
    refused(
      { terminal: false, detached, consoleSocket: path, terminalField: '--tty' },
      '--console-socket',
      /set --tty, or leave it out/,
    )
  refused({ terminal: true, detached: true, consoleSocket: '' }, '--console-socket', /must be the path/)
  expect(() => stdioMode({ terminal: true, detached: true, consoleSocket: '/a\0b' })).toThrow(/NUL/)
})

test('CN-17 TIOCSTI: no program in the foreground gets the own terminal, and detached there is a warning', () => {
  const tty = { ownTerminals: [true, false, true] as const }
  const carried = stdioMode({ terminal: false, detached: false, ...tty })
  expect(carried).toMatchObject({ kind: 'carry', stdio: ['pipe', 'inherit', 'pipe'], warning: undefined })
  const { warning } = stdioMode({ terminal: false, detached: true, ...tty })
  expect(warning).toMatch(/^standard input and standard error of the program is this terminal.*TIOCSTI/)
  expect(stdioMode({ terminal: true, detached: false, ...tty }).warning).toBe(undefined)
})

test('CN-12 every request has exactly one mode or one error', () => {
  const request = fc.record({
    terminal: fc.boolean(),
    detached: fc.boolean(),
    consoleSocket: fc.option(fc.constant(path), { nil: undefined }),
    ownTerminals: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  })
  fc.assert(
    fc.property(request, asked => {
      const { terminal, detached, consoleSocket, ownTerminals } = asked
      const valid = terminal && detached ? consoleSocket !== undefined : consoleSocket === undefined
      if (!valid) {
        expect(() => stdioMode(asked)).toThrow(ConfigInvalid)
        return
      }
      const { kind, stdio, warning } = stdioMode(asked)
      expect(kind).toBe(terminal ? (detached ? 'socket' : 'relay') : detached ? 'inherit' : 'carry')
      expect(stdio === undefined).toBe(terminal)
      expect(warning !== undefined).toBe(kind === 'inherit' && ownTerminals.includes(true))
    }),
  )
})
