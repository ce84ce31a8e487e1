import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../support/index.js'
import { natives, packed, short } from './release.js'

const architectures = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }

/** What Node.js 20 itself needs of its system. */
const NEWEST_GLIBC = [2, 28]

/** By C library, what a binding may name: what every system of that C library has. Of C++'s library it needs nothing. */
const libraries = {
  glibc: /^(libc\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux-x86-64\.so\.2|ld-linux-aarch64\.so\.1)$/,
  musl: /^libc\.so$/,
}

let unpacked: TemporaryDirectory

beforeAll(() => {
  unpacked = temporaryDirectory('prebuilds-')
  for (const { name, tarball } of [...natives, packed('@libcontainer/init')]) {
    const folder = join(unpacked.path, short(name))
    mkdirSync(folder)
    execFileSync('tar', ['xzf', tarball, '-C', folder, '--strip-components=1', 'package/prebuilds'])
  }
})

afterAll(() => unpacked[Symbol.dispose]())

const readelf = (file: string, ...flags: string[]): string =>
  execFileSync('readelf', ['--wide', ...flags, file], { encoding: 'utf8' })

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(match => match[1]!)

function newest(versions: readonly string[]): number[] {
  const parsed = versions.map(version => version.split('.').map(Number))
  return parsed.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d).at(-1) ?? [0, 0]
}

const bindings = natives.flatMap(({ name }) =>
  (['x64', 'arm64'] as const).flatMap(arch =>
    (['glibc', 'musl'] as const).map(libc => ({ name: short(name), arch, libc })),
  ),
)

test('every native package has a prebuild for x64 and arm64, glibc and musl', () => {
  expect(natives.length).toBeGreaterThan(7)
  for (const { name, files } of natives) {
    expect(files.filter(path => path.endsWith('.node')).sort()).toEqual(
      ['linux-arm64/x.glibc', 'linux-arm64/x.musl', 'linux-x64/x.glibc', 'linux-x64/x.musl'].map(
        path => `prebuilds/${path.replace('x.', `${short(name)}.`)}.node`,
      ),
    )
  }
})

describe.each(bindings)('$name for $arch, $libc', ({ name, arch, libc }) => {
  const file = () => join(unpacked.path, name, `prebuilds/linux-${arch}/${name}.${libc}.node`)

  test('is for that machine, a library of its own, and small', requires('program:readelf'), () => {
    const header = readelf(file(), '--file-header')
    expect(header).toContain(architectures[arch])
    expect(header).toContain('DYN (Shared object file)')
    expect(readFileSync(file()).length).toBeLessThan(128 * 1024)
  })

  test('needs the C library alone, and none newer than glibc 2.28', requires('program:readelf'), () => {
    const needed = matches(readelf(file(), '--dynamic'), /\(NEEDED\).*\[(.*)\]/g)
    expect(needed.filter(one => !libraries[libc].test(one))).toEqual([])
    expect(needed.length).toBeGreaterThan(0)
    const versions = readelf(file(), '--version-info')
    expect(matches(versions, /Name: (?!GLIBC_)(\S+)/g)).toEqual([])
    const [major = 0, minor = 0] = newest(matches(versions, /Name: GLIBC_([\d.]+)/g))
    if (libc === 'musl') expect([major, minor]).toEqual([0, 0])
    else expect(major * 1000 + minor).toBeLessThanOrEqual(NEWEST_GLIBC[0]! * 1000 + NEWEST_GLIBC[1]!)
    expect(libc === 'musl' || major === 2).toBe(true)
  })

  test('is a module of Node-API, stays loaded, and has no executable stack', requires('program:readelf'), () => {
    const symbols = readelf(file(), '--dyn-syms')
    expect(symbols).toContain(' napi_register_module_v1')
    // An allocator that another library could replace in part would free what it never gave.
    expect(matches(symbols, / (?:GLOBAL|WEAK) +DEFAULT +\d+ (?!(?:napi|node_api)_)(\S+)/g)).toEqual([])
    // Node.js' C++ and V8, which change with every release, are none of its business.
    expect(matches(symbols, /UND (_ZN?K?(?:2v8|4node)\S*)/g)).toEqual([])
    const dynamic = readelf(file(), '--dynamic')
    expect(dynamic).toMatch(/\(FLAGS_1\).*NODELETE/)
    expect(dynamic).toMatch(/\(FLAGS_1\).*NOW/)
    expect(dynamic).not.toMatch(/RPATH|RUNPATH|TEXTREL/)
    expect(readelf(file(), '--program-headers')).toMatch(/GNU_STACK\s+(0x\S+\s+){5}RW /)
  })
})

test.each(['x64', 'arm64'] as const)('init for %s is static, and small', arch => {
  const file = join(unpacked.path, 'init', `prebuilds/linux-${arch}/init`)
  expect(readelf(file, '--file-header')).toContain(architectures[arch])
  expect(readelf(file, '--program-headers')).not.toContain('INTERP')
  expect(readelf(file, '--dynamic')).not.toContain('NEEDED')
  expect(readFileSync(file).length).toBeLessThan(128 * 1024)
})

test('the sizes of tarballs stay what they are', () => {
  const sizes = natives.map(({ name, tarball }) => ({ name, kB: readFileSync(tarball).length / 1024 }))
  expect(sizes.filter(({ kB }) => kB > 600)).toEqual([])
})
