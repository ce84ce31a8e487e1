import {
  checkFilter,
  compile,
  defaultProfile,
  nativeArch,
  nsinitProfile,
  type RawProfile,
  rawSteps,
} from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64 } from '../src/base64.js'

type Line = readonly [code: number, jt: number, jf: number, k: number]

const filterOf = (...lines: readonly Line[]): Uint8Array => {
  const bytes = new Uint8Array(lines.length * 8)
  const view = new DataView(bytes.buffer)
  lines.forEach(([code, jt, jf, k], i) => {
    view.setUint16(i * 8, code, true)
    bytes.set([jt, jf], i * 8 + 2)
    view.setUint32(i * 8 + 4, k, true)
  })
  return bytes
}

const ret: Line = [0x06, 0, 0, 0x7fff0000]

describe('a filter that is compiled already', () => {
  test('SC-15 what the kernel would refuse is refused by the number of the instruction', () => {
    const problem = (...lines: Line[]): string => {
      try {
        checkFilter(filterOf(...lines))
        return 'none'
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigInvalid)
        return (error as Error).message.replace(/ \(got.*/, '')
      }
    }
    expect(problem(ret)).toBe('none')
    expect(problem([0x20, 0, 0, 0])).toBe('filter[0]: must be a return: it is the last')
    expect(problem([0x28, 0, 0, 0], ret)).toBe('filter[0]: is no instruction that seccomp allows')
    expect(problem([0x94, 0, 0, 3], ret)).toBe('filter[0]: is no instruction that seccomp allows')
    expect(problem([0x20, 0, 0, 2], ret)).toBe('filter[0]: must load a word of struct seccomp_data')
    expect(problem([0x20, 0, 0, 64], ret)).toBe('filter[0]: must load a word of struct seccomp_data')
    expect(problem([0x20, 0, 0, 60], ret)).toBe('none')
    expect(problem([0x02, 0, 0, 16], ret)).toBe('filter[0]: must name one of 16 words')
    expect(problem([0x34, 0, 0, 0], ret)).toBe('filter[0]: divides by zero')
    expect(problem([0x64, 0, 0, 32], ret)).toBe('filter[0]: shifts by more bits than there are')
    expect(problem([0x05, 0, 0, 1], ret)).toBe('filter[0]: jumps past the end')
    expect(problem([0x05, 0, 0, 0], ret)).toBe('none')
    expect(problem([0x15, 1, 0, 7], ret)).toBe('filter[0]: jumps past the end')
    expect(problem([0x15, 0, 1, 7], ret, ret)).toBe('none')
    // One of two ways to the load has written the word.
    expect(problem([0x15, 0, 1, 7], [0x02, 0, 0, 3], [0x60, 0, 0, 3], ret)).toMatch(/^filter\[2\]: reads a word/)
    expect(problem([0x02, 0, 0, 3], [0x15, 0, 0, 7], [0x61, 0, 0, 3], ret)).toBe('none')
    expect(() => checkFilter(new Uint8Array(7))).toThrow('must be 1 to 4096')
    expect(() => checkFilter(filterOf(...Array.from({ length: 4097 }, () => ret)))).toThrow('must be 1 to 4096')
  })

  test('SC-15 what this package compiles is sound by the same rules, for every byte order', () => {
    for (const arch of ['x86_64', 's390x', 'mips'] as const) {
      checkFilter(compile(defaultProfile({ arch }), { arch }).filter)
      checkFilter(compile(nsinitProfile('low', arch), { arch }).filter)
    }
  })

  test('SC-15 in a configuration it is base64, with flags beside it and nothing else', () => {
    const { filter } = compile({ defaultAction: 'SCMP_ACT_ALLOW' }, { arch: nativeArch() })
    const bpf = Buffer.from(filter).toString('base64')
    expect(rawSteps({ bpf })).toMatchObject([{ op: 'setSeccompFilter', args: [0, filter] }])
    expect(rawSteps({ bpf, flags: ['SECCOMP_FILTER_FLAG_LOG'] })).toMatchObject([{ args: [2, filter] }])
    const field = (profile: object): string => {
      try {
        rawSteps(profile as RawProfile)
        return 'none'
      } catch (error) {
        return (error as ConfigInvalid).field
      }
    }
    for (const wrong of ['?', 'YQ', 7, undefined]) expect(field({ bpf: wrong })).toBe('seccomp.bpf')
    expect(field({ bpf: '' })).toBe('seccomp.bpf')
    expect(field({ bpf, flags: ['NEW'] })).toBe('seccomp.flags[0]')
    expect(field({ bpf, defaultAction: 'SCMP_ACT_ALLOW' })).toBe('seccomp.defaultAction')
    expect(field({ bpf: Buffer.from(filterOf([0x20, 0, 0, 0])).toString('base64') })).toBe('seccomp.bpf[0]')
    const other = compile({ defaultAction: 'SCMP_ACT_ALLOW' }, { arch: 's390x' }).filter
    expect(field({ bpf: Buffer.from(other).toString('base64') })).toBe('seccomp.bpf')
  })

  test('property: base64 is what Node.js reads, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(new Uint8Array(bytes))
      }),
    )
    for (const wrong of ['A', 'AA', 'AAA', 'A===', 'AA=A', 'AAAA\n', 'A-_A'])
      expect(decodeBase64(wrong)).toBeUndefined()
  })
})
