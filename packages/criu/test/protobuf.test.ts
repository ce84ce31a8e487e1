import { LibcontainerError } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CriuReq, criuReq, criuResp } from '../src/messages.js'
import { decodeMessage, encodeMessage } from '../src/protobuf.js'

const text = fc.string({ maxLength: 40, unit: 'grapheme' }).filter(word => !word.includes('\0'))
const opts = fc.record(
  {
    imagesDirFd: fc.integer({ min: -1, max: 1000 }),
    pid: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    leaveRunning: fc.boolean(),
    logFile: text,
    ps: fc.record({ address: text, port: fc.integer({ min: 1, max: 65535 }) }),
    external: fc.array(text, { minLength: 1, maxLength: 4 }),
    extMnt: fc.array(fc.record({ key: text, val: text }), { minLength: 1, maxLength: 3 }),
    manageCgroupsMode: fc.constantFrom('ignore' as const, 'soft' as const, 'strict' as const),
    ghostLimit: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    networkLock: fc.constantFrom('iptables' as const, 'nftables' as const, 'skip' as const),
    skipFileRwxCheck: fc.boolean(),
  },
  { requiredKeys: ['imagesDirFd'] },
)
const requests: fc.Arbitrary<CriuReq> = fc.record(
  { type: fc.constantFrom('DUMP' as const, 'RESTORE' as const, 'VERSION' as const), opts, notifySuccess: fc.boolean() },
  { requiredKeys: ['type'] },
)

test('CR-02 a request is read as it was written', () => {
  fc.assert(
    fc.property(requests, request => {
      expect(decodeMessage(criuReq, encodeMessage(criuReq, request))).toEqual(request)
    }),
  )
})

test('CR-02 a message is what protobuf makes of it', () => {
  // DUMP, opts { images_dir_fd 5, pid -1, leave_running true }: by protoc.
  const bytes = [8, 1, 18, 15, 8, 5, 16, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 24, 1]
  const request = { type: 'DUMP', opts: { imagesDirFd: 5, pid: -1, leaveRunning: true } } as const
  expect([...encodeMessage(criuReq, request)]).toEqual(bytes)
  expect(decodeMessage(criuReq, Uint8Array.from(bytes))).toEqual(request)
})

test('CR-02 hostile bytes are a message, or refused as none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      try {
        decodeMessage(criuResp, bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(LibcontainerError)
        expect((error as LibcontainerError).code).toBe('EPROTO')
      }
    }),
  )
})

test('CR-02 a cut message is refused, a field of a later CRIU passed over', () => {
  const bytes = encodeMessage(criuResp, { type: 'RESTORE', success: true, restore: { pid: 300 }, crErrmsg: 'no' })
  for (const end of bytes.keys()) {
    try {
      decodeMessage(criuResp, bytes.subarray(0, end))
    } catch (error) {
      expect((error as LibcontainerError).code).toBe('EPROTO')
    }
  }
  const later = Uint8Array.from([...bytes, 0xf8, 0x7f, 1, 0xfa, 0x7f, 2, 1, 2, 0xfd, 0x7f, 1, 2, 3, 4])
  expect(decodeMessage(criuResp, later)).toEqual(decodeMessage(criuResp, bytes))
  expect(decodeMessage(criuResp, Uint8Array.of(8, 99, 16, 1))).toEqual({ type: 99, success: true })
})

test('CR-02 a value that its field cannot hold is refused by the field', () => {
  const opts = (more: object) => encodeMessage(criuReq, { type: 'DUMP', opts: { imagesDirFd: 1, ...more } })
  expect(() => opts({ pid: 2 ** 31 })).toThrow(/^opts\.pid: must be a whole number/)
  expect(() => opts({ leaveRunning: 'yes' })).toThrow(/^opts\.leaveRunning/)
  expect(() => opts({ external: 'x' })).toThrow(/^opts\.external: must be a list/)
  expect(() => opts({ external: ['a\0'] })).toThrow(/^opts\.external\[0\]/)
  expect(() => opts({ manageCgroupsMode: 'toString' })).toThrow(/ignore, none, props/)
  expect(() => opts({ extMnt: [{ key: 'a' }] })).toThrow(/^opts\.extMnt\[0\]\.val: must be there/)
})
