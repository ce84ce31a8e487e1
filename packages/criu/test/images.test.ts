import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageSize, parseStats, restore } from '@libcontainer/criu'
import { LibcontainerError } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { entriesOf } from '../src/image-file.js'
import { pagesOf } from '../src/pages.js'

const PAGEMAP = [0x54564319, 0x56084025]
const STATS = [0x55105940, 0x57093306]

/** An image with these entries. */
function image(magic: readonly number[], ...entries: readonly (readonly number[])[]): Uint8Array {
  const number = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
  return Uint8Array.from([...magic.flatMap(number), ...entries.flatMap(bytes => [...number(bytes.length), ...bytes])])
}

test('CR-10 a map of pages: what is in the image itself counts, by the flags or, of older ones, without', () => {
  const head = [8, 3]
  const entry = (pages: number, flags?: number): number[] => [
    8,
    0x80,
    0x20,
    16,
    pages,
    ...(flags === undefined ? [] : [32, flags]),
  ]
  expect(pagesOf(image(PAGEMAP, head, entry(5, 4), entry(7, 1), entry(2, 6), entry(9, 2)))).toEqual({
    id: 3,
    bytes: 7 * 4096,
  })
  expect(pagesOf(image(PAGEMAP, head, entry(5), [...entry(6), 24, 1]))).toEqual({ id: 3, bytes: 5 * 4096 })
  expect(pagesOf(image(PAGEMAP))).toEqual({ id: undefined, bytes: 0 })
})

test('CR-19 an image that is cut off, of another kind, or anything at all', () => {
  const whole = image(PAGEMAP, [8, 3], [16, 5])
  for (const end of [...whole.keys()].filter(end => ![8, 14].includes(end)))
    expect(() => [...entriesOf(whole.subarray(0, end), PAGEMAP)], `${end}`).toThrow(LibcontainerError)
  expect(() => pagesOf(image(STATS, [8, 3]))).toThrow(/no image of that kind/)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      for (const read of [pagesOf, parseStats])
        try {
          read(image(read === pagesOf ? PAGEMAP : STATS, [...bytes]))
        } catch (error) {
          expect((error as LibcontainerError).code).toBe('EPROTO')
        }
    }),
  )
})

test('CR-06 statistics as CRIU leaves them', () => {
  // dump { freezing_time 300, frozen_time 2, memdump_time 3, memwrite_time 4, pages_scanned 5, pages_skipped_parent 6, pages_written 7, pages_lazy 8 }
  const dump = [8, 0xac, 2, 16, 2, 24, 3, 32, 4, 40, 5, 48, 6, 56, 7, 72, 8]
  expect(parseStats(image(STATS, [10, dump.length, ...dump]))).toEqual({
    dump: {
      freezingUs: 300,
      frozenUs: 2,
      memdumpUs: 3,
      memwriteUs: 4,
      pagesScanned: 5,
      pagesSkippedParent: 6,
      pagesWritten: 7,
      pagesLazy: 8,
    },
    restore: undefined,
  })
})

test('CR-05 a directory without images is refused, and their size is that of images alone', async () => {
  using place = temporaryDirectory('criu-images-')
  const imagesDir = join(place.path, 'images')
  mkdirSync(imagesDir)
  writeFileSync(join(imagesDir, 'a.img'), 'xyz')
  writeFileSync(join(imagesDir, 'dump.log'), 'long')
  expect(await imageSize(imagesDir)).toBe(3)
  await expect(imageSize(join(place.path, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  for (const at of [imagesDir, join(place.path, 'none')])
    await expect(restore({ imagesDir: at })).rejects.toThrow(/inventory.img is not there|ENOENT/)
})
