import { parseMounts } from '@libcontainer/criu'
import { LibcontainerError } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

/** As CRIU 3.17 has written it: a masked file of a container, which came from outside. */
const file = Uint8Array.from(
  Buffer.from(
    '19435654283956556900000008031053180520' +
      '3d288080a00132052f6e756c6c3a0a2f70726f632f6b657973420364657' +
      '64a2f73697a653d313438313533326b2c6e725f696e6f6465733d3337303338332c6d6f64653d3735352c696e6f6465363450005804880100' +
      '92010b6d61736b2d6b6579732d31',
    'hex',
  ),
)

test('CR-07 the mounts of an image: where each is, on which, and by which key it is asked for', () => {
  const size = file.length - 12
  const bytes = file.slice()
  new DataView(bytes.buffer).setUint32(8, size, true)
  expect(parseMounts(bytes)).toEqual([
    { id: 83, parent: 61, mountPoint: '/proc/keys', root: '/null', key: 'mask-keys-1' },
  ])
  expect(parseMounts(bytes.slice(0, 8))).toEqual([])
  expect(() => parseMounts(bytes.slice(0, -1))).toThrow(/cut off/)
  expect(() => parseMounts(bytes.slice(0, 7))).toThrow(/no image of that kind/)
})

test('whatever the bytes are, they are mounts or an error of ours', () => {
  const head = file.slice(0, 8)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
      try {
        parseMounts(Uint8Array.from([...head, ...bytes]))
      } catch (error) {
        expect(error).toBeInstanceOf(LibcontainerError)
      }
    }),
  )
})
