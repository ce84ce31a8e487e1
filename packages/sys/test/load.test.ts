import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { ABI } from '../src/node/abi.js'

const here = fileURLToPath(new URL('../', import.meta.url))
const built = join(here, 'build/Release/sys.node')
const arch = process.arch
const other = arch === 'x64' ? 'arm64' : 'x64'

/** The package as npm installs it: without what was built from source. Each file of `prebuilds` has the bytes it is given. */
function installed(prebuilds: Record<string, Uint8Array>): TemporaryDirectory & { root: string } {
  const dir = temporaryDirectory('load-')
  const root = join(dir.path, 'node_modules/@libcontainer/sys')
  for (const part of ['dist', 'package.json']) cpSync(join(here, part), join(root, part), { recursive: true })
  for (const [name, bytes] of Object.entries(prebuilds)) {
    mkdirSync(join(root, 'prebuilds', name, '..'), { recursive: true })
    writeFileSync(join(root, 'prebuilds', name), bytes)
  }
  return { ...dir, path: dir.path, root }
}

interface Outcome {
  fd?: number
  name?: string
  code?: string
  message?: string
  hint?: string
}

const program = `
  const { pipe } = await import('@libcontainer/sys')
  let outcome
  try {
    outcome = { fd: pipe().read.fd }
  } catch ({ name, code, message, hint }) {
    outcome = { name, code, message, hint }
  }
  console.log(JSON.stringify(outcome))
`

/** What the first call that needs the binding answers, in a process of its own. */
function call(cwd: string, flags: readonly string[] = [], source = program): Outcome {
  const file = join(cwd, 'program.mjs')
  writeFileSync(file, source)
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...flags, file], { cwd, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Outcome
}

/** The binding, as if built for another machine: e_machine of the ELF header, and the name of the C library. */
function forged({ machine, libc }: { machine?: number; libc?: string }): Uint8Array {
  const bytes = readFileSync(built)
  if (machine !== undefined) bytes.writeUInt16LE(machine, 18)
  if (libc !== undefined) bytes.write(`\0${libc}\0`.padEnd(11, '\0'), bytes.indexOf('\0libc.so.6\0'), 'latin1')
  return bytes
}

const good = () => readFileSync(built)

test('the prebuild of this architecture and C library is loaded', () => {
  using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
  expect(call(dir.path).fd).toBeGreaterThan(2)
})

describe('a prebuild that is missing is named, with what the package has instead', () => {
  test('no prebuilds at all', () => {
    using dir = installed({})
    const { name, code, message, hint } = call(dir.path)
    expect({ name, code }).toEqual({ name: 'LibcontainerError', code: 'ERR_NO_BINDING' })
    expect(message).toBe(
      `no binding of sys for linux-${arch} (glibc): looked for ${dir.root}/build/Release/sys.node and ` +
        `${dir.root}/prebuilds/linux-${arch}/sys.glibc.node; the package has no prebuilds`,
    )
    expect(hint).toContain('install the package again')
  })

  test('only for the other C library and the other architecture', () => {
    using dir = installed({ [`linux-${arch}/sys.musl.node`]: good(), [`linux-${other}/sys.glibc.node`]: good() })
    const { code, message } = call(dir.path)
    expect(code).toBe('ERR_NO_BINDING')
    const has = [`linux-${arch}/sys.musl.node`, `linux-${other}/sys.glibc.node`].sort()
    expect(message).toContain(`for linux-${arch} (glibc)`)
    expect(message).toContain(`; the package has ${has.join(', ')}`)
  })
})

describe('a prebuild that is not what its name says is refused by what it is', () => {
  const cases: [string, Uint8Array, string][] = [
    ['another architecture', forged({ machine: arch === 'x64' ? 183 : 62 }), `it was built for linux-${other} (glibc)`],
    ['another C library', forged({ libc: 'libc.so' }), `it was built for linux-${arch} (musl)`],
    ['an architecture without a name', forged({ machine: 9999 }), 'it was built for linux-machine 9999 (glibc)'],
    ['no ELF file', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'), 'it is no ELF file'],
    ['one cut short', good().subarray(0, 5000), 'its end is missing'],
    ['one that lacks its last byte', good().subarray(0, -1), 'its end is missing'],
    ['an empty one', new Uint8Array(), 'it is no ELF file'],
  ]
  test.each(cases)('%s', (_, bytes, problem) => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: bytes })
    const { name, code, message, hint } = call(dir.path)
    expect({ name, code }).toEqual({ name: 'LibcontainerError', code: 'ERR_BINDING_REFUSED' })
    expect(message).toContain(`${dir.root}/prebuilds/linux-${arch}/sys.glibc.node: `)
    expect(message).toContain(problem)
    expect(hint).toContain('install the package again')
  })
})

/** The binding, as if made from other sources: of another contract, or from before there was a word for it. */
function ofContract(abi: string, property = 'abi'): Uint8Array {
  const bytes = readFileSync(built)
  bytes.write(abi, bytes.indexOf('lc-abi-'), 'latin1')
  bytes.write(property, bytes.indexOf('\0abi\0') + 1, 'latin1')
  return bytes
}

describe('a binding of another build than this JavaScript is refused before anything in it is called', () => {
  test.each([
    ['older', ofContract('lc-abi-0'), 'it is of lc-abi-0'],
    ['newer', ofContract('lc-abi-9'), 'it is of lc-abi-9'],
    ['from before', ofContract(ABI, 'xyz'), 'it is of a build without a word for that'],
  ])('%s', (_, bytes, problem) => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: bytes })
    const { name, code, message, hint } = call(dir.path)
    expect({ name, code }).toEqual({ name: 'LibcontainerError', code: 'ERR_BINDING_MISMATCH' })
    const file = `${dir.root}/prebuilds/linux-${arch}/sys.glibc.node`
    expect(message).toBe(`cannot use ${file}: ${problem}, and ${dir.root}/dist/node/load.js is of ${ABI}`)
    expect(hint).toContain('install @libcontainer/sys')
  })

  test('that of another package, too, beside the right one of sys', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const mount = join(dir.root, '../user')
    mkdirSync(join(mount, 'build/Release'), { recursive: true })
    mkdirSync(join(mount, 'dist'))
    writeFileSync(join(mount, 'build/Release/user.node'), ofContract('lc-abi-0'))
    const source = program
      .replace('{ pipe }', '{ binding, pipe }')
      .replace('pipe().read.fd', `binding('user', 'file://${mount}/dist/x.js').sync && pipe().read.fd`)
    const { code, message } = call(dir.path, [], source)
    expect(code).toBe('ERR_BINDING_MISMATCH')
    expect(message).toContain(`cannot use ${mount}/build/Release/user.node: it is of lc-abi-0`)
  })

  test('the contract has not changed without its number', () => {
    const source = (path: string): string =>
      readFileSync(join(here, path), 'utf8').replace(/\/\*.*?\*\/|\/\/.*$/gms, '')
    const part = (path: string, pattern: RegExp): string => pattern.exec(source(path))![0]
    const contract = [
      source('native/op.h'),
      source('native/threads.h'),
      part('native/node.h', /^struct Failure \{.*?^\};/ms),
      part('src/binding.ts', /^export interface LoadedOps \{.*?^\}/ms),
      part('src/node/host.ts', /^interface Addon .*?^\}/ms),
    ]
    const hash = createHash('sha256').update(contract.join('\n').replace(/\s+/g, ' ')).digest('hex').slice(0, 16)
    // When this fails: raise LC_ABI in native/abi.h and ABI in src/node/abi.ts, build, and write the new pair here.
    expect({ [ABI]: hash }).toEqual({ 'lc-abi-1': 'e5b59425a91f808f' })
    expect(readFileSync(join(here, 'native/abi.h'), 'utf8')).toContain(`#define LC_ABI "${ABI}"`)
  })
})

describe('where Node.js is linked with musl, as its executable says', () => {
  const musl = (dir: TemporaryDirectory): string => {
    const executable = join(dir.path, 'node')
    writeFileSync(executable, `\x7fELF${'\0'.repeat(600)}/lib/ld-musl-x86_64.so.1\0`, 'latin1')
    return `process.execPath = ${JSON.stringify(executable)}\n${program}`
  }

  test('a prebuild for glibc, under its own name, is none', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const { code, message } = call(dir.path, [], musl(dir))
    expect(code).toBe('ERR_NO_BINDING')
    expect(message).toContain(`for linux-${arch} (musl): looked for`)
    expect(message).toContain(`; the package has linux-${arch}/sys.glibc.node`)
  })

  test('one for glibc under the other name is refused before musl takes it, and crashes', () => {
    using dir = installed({ [`linux-${arch}/sys.musl.node`]: good() })
    const { code, message } = call(dir.path, [], musl(dir))
    expect(code).toBe('ERR_BINDING_REFUSED')
    expect(message).toContain(`it was built for linux-${arch} (glibc), and this Node.js is for linux-${arch} (musl)`)
  })
})

describe("Node.js' permission model", () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const permission = major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)
  const flag = permission ? '--permission' : '--experimental-permission'

  test('S30 without --allow-addons: the flag is named', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const { name, code, message, hint } = call(dir.path, [flag, '--allow-fs-read=*'])
    expect({ name, code }).toEqual({ name: 'LibcontainerError', code: 'ERR_DLOPEN_DISABLED' })
    expect(message).toContain(`${dir.root}/prebuilds/linux-${arch}/sys.glibc.node`)
    expect(hint).toContain('--allow-addons')
  })

  test('with it, and nothing readable but the program: works, though the executable may be closed', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const allowed = [flag, `--allow-fs-read=${dir.path}/*`, '--allow-addons']
    expect(call(dir.path, allowed).fd).toBeGreaterThan(2)
  })

  test('with the prebuilds closed: the flag that opens them is named', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const open = ['program.mjs', 'node_modules/@libcontainer/sys/package.json', 'node_modules/@libcontainer/sys/dist/*']
    const allowed = [flag, ...open.map(path => `--allow-fs-read=${dir.path}/${path}`), '--allow-addons']
    const source = program.replace("'@libcontainer/sys'", "'./node_modules/@libcontainer/sys/dist/index.js'")
    const { name, code, message, hint } = call(dir.path, allowed, source)
    expect({ name, code }).toEqual({ name: 'LibcontainerError', code: 'ERR_ACCESS_DENIED' })
    expect(message).toContain(dir.root)
    expect(hint).toContain(`--allow-fs-read=${dir.root}`)
  })

  test('--no-addons: named, too', () => {
    using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
    const { code, hint } = call(dir.path, ['--no-addons'])
    expect(code).toBe('ERR_DLOPEN_DISABLED')
    expect(hint).toContain('--no-addons')
  })
})

test('a binding planted in the working directory, or named by the environment, is never loaded', () => {
  using dir = installed({ [`linux-${arch}/sys.glibc.node`]: good() })
  using planted = temporaryDirectory('planted-')
  const file = join(planted.path, 'program.mjs')
  for (const place of ['build/Release', `prebuilds/linux-${arch}`]) {
    mkdirSync(join(planted.path, place), { recursive: true })
    for (const name of ['sys.node', 'sys.glibc.node']) writeFileSync(join(planted.path, place, name), 'not a binding')
  }
  symlinkSync(join(dir.path, 'node_modules'), join(planted.path, 'node_modules'))
  writeFileSync(file, program)
  const env = { ...process.env, NODE_PATH: planted.path, PREBUILDS_ONLY: '1', SYS_PREBUILD: planted.path }
  const { stdout } = spawnSync(process.execPath, [file], { cwd: planted.path, encoding: 'utf8', env })
  expect((JSON.parse(stdout) as Outcome).fd).toBeGreaterThan(2)
})

test('a build from source comes before a prebuild', () => {
  using dir = installed({ [`linux-${arch}/sys.glibc.node`]: new TextEncoder().encode('not this') })
  mkdirSync(join(dir.root, 'build/Release'), { recursive: true })
  copyFileSync(built, join(dir.root, 'build/Release/sys.node'))
  expect(call(dir.path).fd).toBeGreaterThan(2)
})
