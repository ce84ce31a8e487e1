import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { checkFilter, compile, nativeArch } from '@libcontainer/seccomp'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { syscallTable } from '../src/syscalls.js'
import { generatedProfile, Random } from './profiles.js'

/** Codes that seccomp has, and some that it has not. */
const CODES = [
  0x20, 0x80, 0x81, 0x06, 0x16, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
  0x64, 0x6c, 0x74, 0x7c, 0x84, 0x00, 0x01, 0x07, 0x87, 0x60, 0x61, 0x02, 0x03, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25,
  0x2d, 0x45, 0x4d,
]
const STRANGE = [0x28, 0x30, 0x40, 0x94, 0x9c, 0xb1, 0x0e, 0xff, 0x86, 0x8c, 0x08, 0x4000]

/** Mostly sound, so that what is wrong is one thing at a time. */
function randomFilter(random: Random): Uint8Array {
  const length = 1 + random.below(8)
  const bytes = new Uint8Array(length * 8)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < length; i++) {
    const last = i === length - 1 && random.below(12) > 0
    const code = last ? 0x06 : random.pick(random.below(20) === 0 ? STRANGE : CODES)
    const left = length - i - 1
    const distance = (): number => (random.below(12) === 0 ? left : random.below(Math.max(left, 1)))
    const small = [0, 1, 4, 8, 15, 16, 31, 32, 60, 62, 64]
    view.setUint16(i * 8, code, true)
    if ((code & 7) === 5 && code !== 0x05) bytes.set([distance(), distance()], i * 8 + 2)
    const near =
      code === 0x05
        ? distance()
        : code === 0x20
          ? random.below(17) * 4 + (random.below(9) === 0 ? 1 : 0)
          : random.pick(small)
    view.setUint32(i * 8 + 4, (code & 7) === 6 ? 0x7fff0000 : near, true)
  }
  return bytes
}

const accepted = (filter: Uint8Array): boolean => {
  try {
    checkFilter(filter)
    return true
  } catch {
    return false
  }
}

test(
  'SC-15 property: the check of a filter takes what the running kernel takes, and refuses what it refuses',
  requires('root', 'program:gcc'),
  () => {
    using directory = temporaryDirectory('libcontainer-loader-')
    const loader = join(directory.path, 'loader')
    execFileSync('gcc', ['-Wall', '-Wextra', '-O1', '-o', loader, join(import.meta.dirname, 'loader.c')])
    const random = new Random(11)
    const arch = nativeArch()
    const names = new Set(syscallTable(arch).names)
    const filters = [
      ...Array.from({ length: 1500 }, () => randomFilter(random)),
      ...Array.from({ length: 20 }, (_, seed) => compile(generatedProfile(seed, [arch], names), { arch }).filter),
    ]
    const input = Buffer.concat(
      filters.flatMap(filter => [new Uint8Array(new Uint32Array([filter.length]).buffer), filter]),
    )
    const errnos = execFileSync(loader, { input, encoding: 'utf8' }).trim().split('\n').map(Number)
    expect(errnos).toHaveLength(filters.length)
    let refused = 0
    filters.forEach((filter, i) => {
      expect({ filter: Buffer.from(filter).toString('hex'), accepted: accepted(filter) }).toEqual({
        filter: Buffer.from(filter).toString('hex'),
        accepted: errnos[i] === 0,
      })
      if (errnos[i] !== 0) refused++
    })
    expect(refused).toBeGreaterThan(400)
    expect(filters.length - refused).toBeGreaterThan(400)
  },
)
