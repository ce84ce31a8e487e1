import { closeSync, fchmodSync, ftruncateSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { ConfigInvalid, memoryFile, overlayProgramFd, programFd, spawn, waitExit } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const busybox = '/bin/busybox'
const needs = requires('root', `file:${busybox}`)

const code = (act: () => unknown): string => {
  try {
    act()
    return 'done'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('EX-01 EX-02 what is executed in a container is sealed against every change, also by its owner', needs, () => {
  const { fd: program, shared } = programFd(readFileSync(busybox))
  try {
    expect(readlinkSync(`/proc/self/fd/${program.fd}`)).toBe('/memfd:init (deleted)')
    const again = openSync(`/proc/self/fd/${program.fd}`, 'r+')
    expect([
      code(() => writeSync(again, 'x')),
      code(() => ftruncateSync(again, 0)),
      code(() => ftruncateSync(again, 1e7)),
    ]).toEqual(['EPERM', 'EPERM', 'EPERM'])
    // Only one whose execute bits are sealed, too, is for more than one container.
    expect(code(() => fchmodSync(again, 0o600))).toBe(shared ? 'EPERM' : 'done')
    closeSync(again)
    expect(readFileSync(`/proc/self/fd/${program.fd}`).equals(readFileSync(busybox))).toBe(true)
  } finally {
    program.close()
  }
})

test('EX-01 EX-04 an overlay of a file is the file’s content, and read-only', needs, () => {
  const overlay = overlayProgramFd(busybox)
  try {
    const path = `/proc/self/fd/${overlay.fd}`
    expect(readFileSync(path).equals(readFileSync(busybox))).toBe(true)
    expect(code(() => openSync(path, 'r+'))).toBe('EROFS')
    expect(code(() => overlayProgramFd('/absent/init'))).toBe('ENOENT')
    expect(code(() => overlayProgramFd('/bin/absent'))).toBe('ENOENT')
    expect(() => programFd(new Uint8Array(1), 'a\0b')).toThrow(ConfigInvalid)
  } finally {
    overlay.close()
  }
})

test(
  'EX-03 the program is executed whatever number its descriptor has, and is not among those of the child',
  needs,
  async () => {
    const { fd: program } = programFd(readFileSync(busybox))
    const output = memoryFile('output', new Uint8Array(0))
    try {
      // Its own number is one of those that the child's descriptors take: as low, in their middle, and the last.
      for (const count of [3, program.fd, program.fd + 1, program.fd + 2]) {
        const fds = Array.from({ length: Math.max(3, count) }, () => output.fd)
        const args = ['busybox', 'sh', '-c', 'ls /proc/self/fd | wc -l']
        const { pidfd } = await spawn({ program, args, fds, own: fds.length })
        expect(await waitExit(pidfd)).toEqual({ code: 0, signal: undefined })
        pidfd.close()
      }
      const counts = readFileSync(`/proc/self/fd/${output.fd}`, 'utf8').trim().split('\n').map(Number)
      // ls has the directory open as well; its standard output is the pipe.
      expect(counts).toEqual([4, ...[program.fd, program.fd + 1, program.fd + 2].map(count => Math.max(3, count) + 1)])
    } finally {
      program.close()
      output.close()
    }
  },
)
