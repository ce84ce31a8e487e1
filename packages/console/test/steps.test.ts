import {
  checkWindowSize,
  consoleSteps,
  openAndDupSteps,
  rawTermios,
  setupConsoleSteps,
  type Termios,
  useTerminalStep,
} from '@libcontainer/console'
import { ConfigInvalid, encodePlan, slot } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { decodeTermios, encodeTermios } from '../src/termios.js'

const root = slot('root')

test('CN-04, CN-05, CN-13 the steps of a container’s terminal: made, sized, owned, sent, and only then bound', () => {
  const send = [{ op: 'ask', args: ['console', slot('consoleMaster')], about: 'hand over the terminal' }]
  const steps = consoleSteps({ root, size: { rows: 24, columns: 80 }, plainNewlines: true, uid: 1000, send })
  expect(steps.map(step => step.about)).toEqual([
    'open a new terminal in /dev/pts',
    'open the terminal’s slave',
    'make the terminal 80 columns by 24 rows',
    'leave newlines on the terminal as they are',
    'give the terminal to user 1000',
    'hand over the terminal',
    'mount the terminal on /dev/console',
  ])
  expect(steps[2]!.args).toEqual([slot('consoleMaster'), 24, 80, 0, 0])
  expect(encodePlan([...steps, useTerminalStep()], { slots: ['root'] }).count).toBe(8)
})

test('a further process of a container gets a terminal without /dev/console', () => {
  expect(consoleSteps({ root, bind: false }).map(step => step.op)).toEqual(['openConsole', 'openConsolePeer'])
})

test('a size or an owner that the kernel cannot hold is refused by field', () => {
  expect(() => consoleSteps({ root, size: { rows: 65536, columns: 80 } })).toThrow(ConfigInvalid)
  expect(() => checkWindowSize({ rows: 1, columns: 1.5 }, 'process.consoleSize')).toThrow(
    /^process\.consoleSize\.columns/,
  )
  expect(() => checkWindowSize({ rows: 0, columns: 65535 }, 'size')).not.toThrow()
  for (const uid of [-1, 0xffffffff, 0.5]) expect(() => consoleSteps({ root, uid })).toThrow(/^uid/)
})

test('CN-03 the classic way: a terminal by path onto the standard streams', () => {
  expect(openAndDupSteps('/dev/pts/3').map(step => step.op)).toEqual(['openTerminal', 'useStandardStreams'])
})

test('CN-02 a terminal of the host as /dev/console: opened once, owned, labelled, mounted by its descriptor', () => {
  const path = '/dev/pts/3'
  const steps = setupConsoleSteps({ root, path, label: 'system_u:object_r:container_file_t:s0' })
  expect(steps.map(step => step.op)).toEqual(['openTerminal', 'secureTerminal', 'labelFile', 'bindConsole'])
  expect(steps[1]!.args).toEqual([slot('consoleSlave'), 0o600, 0, 0])
  expect(setupConsoleSteps({ root, path }).map(step => step.op)).not.toContain('labelFile')
  expect(encodePlan([...steps, useTerminalStep()], { slots: ['root'] }).count).toBe(5)
})

const cooked: Termios = {
  iflag: 0x0500,
  oflag: 0x0005,
  cflag: 0x00bf,
  lflag: 0x8a3b,
  line: 0,
  cc: [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0],
  ispeed: 38400,
  ospeed: 38400,
}

test('CN-09 raw modes are those of cfmakeraw, with or without output processing', () => {
  const raw = rawTermios({ ...cooked, cflag: 0x01bf & ~0x20 })
  expect(raw).toMatchObject({ iflag: 0, oflag: 0x0004, cflag: 0x00bf, lflag: 0x8a3b & ~0x804b })
  expect([raw.cc[6], raw.cc[5]]).toEqual([1, 0])
  expect(rawTermios(cooked, { keepOutput: true }).oflag).toBe(0x0005)
  expect(cooked.cc[6]).toBe(1)
})

test('struct termios2 keeps every field on its way to bytes and back', () => {
  const bytes = encodeTermios(cooked)
  expect(bytes.length).toBe(44)
  expect(decodeTermios(bytes)).toEqual(cooked)
})
