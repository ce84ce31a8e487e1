import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { quickjsSources } from '../../../scripts/binary/sources.mjs'
import { temporaryDirectory } from '../../../test/support/index.js'

const native = fileURLToPath(new URL('../native/quickjs/', import.meta.url))
const cache = fileURLToPath(new URL('../../../.cache/quickjs/', import.meta.url))

/** Unpacks each of what standard input has: two sizes, packed and not, and the packed bytes. Answers a status, and the bytes. */
const source = `
#include "host.h"
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	uint64_t sizes[2];
	while (fread(sizes, sizeof(sizes), 1, stdin) == 1) {
		uint8_t *packed = malloc(sizes[0] + 1), *to = malloc(sizes[1] + 1);
		if (fread(packed, 1, sizes[0], stdin) != sizes[0])
			return 2;
		/* In memory of their exact sizes, which the sanitizer watches. */
		uint8_t *exact = realloc(packed, sizes[0] ? sizes[0] : 1);
		uint8_t *exactly = realloc(to, sizes[1] ? sizes[1] : 1);
		putchar(lc_inflate(exact, exact + sizes[0], exactly, sizes[1]));
		fwrite(exactly, 1, sizes[1], stdout);
		free(exact);
		free(exactly);
	}
	return 0;
}
`
let program = ''
const directory = temporaryDirectory('inflate-')

beforeAll(async () => {
  const sources = await quickjsSources(cache)
  const main = join(directory.path, 'main.c')
  writeFileSync(main, source)
  program = join(directory.path, 'program')
  const flags = [
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ]
  const inputs = [main, join(native, 'inflate.c')]
  execFileSync('cc', [...flags, '-w', `-I${sources}`, `-I${native}`, ...inputs, '-o', program])
  return () => directory[Symbol.dispose]()
})

function unpack(list: readonly { packed: Uint8Array; size: number }[]): { good: boolean; bytes: Buffer }[] {
  const input = Buffer.concat(
    list.flatMap(({ packed, size }) => {
      const sizes = Buffer.alloc(16)
      sizes.writeBigUInt64LE(BigInt(packed.length))
      sizes.writeBigUInt64LE(BigInt(size), 8)
      return [sizes, packed]
    }),
  )
  const { status, stdout, stderr } = spawnSync(program, { input, maxBuffer: 1 << 28 })
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
  let at = 0
  return list.map(({ size }) => {
    const good = stdout[at] === 1
    const bytes = stdout.subarray(at + 1, at + 1 + size)
    at += 1 + size
    return { good, bytes }
  })
}

const texts = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  // What repeats, near and far.
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 400 }))
    .map(([part, times]) => Uint8Array.from({ length: part.length * times }, (_, i) => part[i % part.length]!)),
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { maxLength: 5000 }).map(bytes => Uint8Array.from(bytes)),
)
const ways = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FILTERED,
  ),
})

test('what zlib packs is unpacked, whatever it is and however', () => {
  const cases = fc.sample(fc.tuple(texts, ways), { numRuns: 500 })
  const list = cases.map(([text, way]) => ({ packed: deflateRawSync(text, way), size: text.length }))
  for (const [i, { good, bytes }] of unpack(list).entries())
    expect({ good, bytes: bytes.toString('hex') }, JSON.stringify(cases[i]![1])).toEqual({
      good: true,
      bytes: Buffer.from(cases[i]![0]).toString('hex'),
    })
})

test('what is cut, changed, or of another size is refused, and nothing is read or written outside', () => {
  const text = Buffer.from('a module of bytecode, a module of source '.repeat(40))
  const packed = deflateRawSync(text)
  const cut = Array.from({ length: packed.length }, (_, i) => ({ packed: packed.subarray(0, i), size: text.length }))
  const sized = [0, text.length - 1, text.length + 1].map(size => ({ packed, size }))
  expect(unpack([...cut, ...sized]).filter(({ good }) => good)).toEqual([])
  const changes = fc.sample(
    fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    {
      numRuns: 2000,
    },
  )
  const changed = changes.map(list => {
    const bytes = Buffer.from(packed)
    for (const [at, value] of list) bytes[at] = value
    return { packed: bytes, size: text.length }
  })
  expect(unpack(changed)).toHaveLength(2000)
})
