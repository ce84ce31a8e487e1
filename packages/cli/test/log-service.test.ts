import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLogService } from '@libcontainer/cli'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory, until } from '../../../test/support/index.js'

/** What a socket of datagrams gets. */
const listener = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
sys.stdout.write(repr(s.recv(4096)) + repr(s.recv(4096)))`

test.each([
  ['syslog', `b'<27>lcrun: it broke: badly'b'<30>lcrun: fine'`],
  [
    'journald',
    String.raw`b'PRIORITY=3\nSYSLOG_IDENTIFIER=lcrun\nMESSAGE=it broke: badly\n'b'PRIORITY=6\nSYSLOG_IDENTIFIER=lcrun\nMESSAGE=fine\n'`,
  ],
] as const)('XT-01 XT-13 messages as %s takes them', requires('program:python3'), async (service, text) => {
  using place = temporaryDirectory('log-')
  const path = join(place.path, 'socket')
  const child = spawn('python3', ['-c', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let got = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    got += chunk
  })
  const ended = once(child, 'close')
  try {
    await until('the socket', () => (existsSync(path) ? true : undefined))
    const write = await openLogService(service, 'lcrun', path)
    write('error', 'it broke:\nbadly')
    write('info', 'fine')
    await ended
    expect(got).toBe(text)
    // Nobody is there any more: that is no failure of the program.
    expect(() => write('info', 'lost')).not.toThrow()
  } finally {
    child.kill('SIGKILL')
  }
})

test('XT-01 a service that does not run is refused by name', requires(), async () => {
  using place = temporaryDirectory('log-')
  await expect(openLogService('syslog', 'lcrun', join(place.path, 'absent'))).rejects.toThrow(
    'there is no syslog to log to: ENOENT',
  )
})
