import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { environment } from '../../scripts/from-tarballs.mjs'
import { nodeOf } from '../../scripts/nodes.mjs'
import { type Requirement, requires, temporaryDirectory } from '../support/index.js'
import { binFolder, install, natives, short } from './release.js'

/** Where Debian's packages of arm64 libraries for cross-compiling are, which an emulated program takes for its root. */
const SYSROOT = '/usr/aarch64-linux-gnu'
const QEMU = 'qemu-aarch64-static'

/** Emulators and compilers for the other machine are set up on x64 alone. */
const onX64 = (...needs: Requirement[]) => ({
  ...(process.arch === 'x64' ? requires(...needs) : { skip: true, tags: [] }),
  // An emulator takes its time.
  timeout: 300_000,
})

/** Loads the binding of every package, and does what an emulator can. */
const program = `
  const loaded = []
  for (const name of process.argv.slice(2)) {
    const { createRequire } = await import('node:module')
    const file = new URL('./node_modules/@libcontainer/' + name + '/prebuilds/linux-' + process.arch + '/' + name + '.glibc.node', import.meta.url)
    const addon = createRequire(import.meta.url)(file.pathname)
    if (typeof addon.apply === 'function' && Object.keys(addon.sync).length > 0) loaded.push(name)
  }
  const { exitCode, pipe, readFd, readText, writeFd } = await import('@libcontainer/sys')
  const { read, write } = pipe()
  await writeFd(write.fd, new TextEncoder().encode('through a pipe'))
  const buffer = new Uint8Array(64)
  const text = new TextDecoder().decode(buffer.subarray(0, await readFd(read.fd, buffer)))
  const kernel = await readText('/proc/sys/kernel/osrelease')
  console.log(JSON.stringify({ arch: process.arch, version: process.version, loaded, text, kernel: kernel.length > 0, code: exitCode({ code: undefined, signal: 9 }) }))
`

test(
  'the bindings for arm64 are loaded by an arm64 Node.js',
  onX64(`program:${QEMU}`, `file:${SYSROOT}/lib/libstdc++.so.6`, `file:${nodeOf('20', 'arm64')}`),
  () => {
    using dir = temporaryDirectory('arm64-')
    const bin = binFolder(join(dir.path, 'bin'), ['node', 'npm', 'sh', 'env'])
    const folder = join(dir.path, 'empty')
    mkdirSync(folder)
    // Every native package is among what container needs.
    install(folder, bin, '@libcontainer/container')
    writeFileSync(join(folder, 'program.mjs'), program)
    const names = natives.map(({ name }) => short(name))
    const command = ['-L', SYSROOT, nodeOf('20', 'arm64'), 'program.mjs', ...names]
    const { stdout, stderr } = spawnSync(QEMU, command, { cwd: folder, encoding: 'utf8', env: environment })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      arch: 'arm64',
      version: expect.stringMatching(/^v20\./),
      loaded: names,
      text: 'through a pipe',
      kernel: true,
      code: 137,
    })
  },
)

/** A program linked with musl, which has whatever of Node-API a binding asks for by name, and loads those it is told. */
const loader = (symbols: readonly string[]) => `
  #include <dlfcn.h>
  #include <stdio.h>
  #include <stdlib.h>
  ${symbols.map(name => `void ${name}(void) { abort(); }`).join('\n')}
  int main(int count, char **files)
  {
    for (int i = 1; i < count; i++) {
      void *binding = dlopen(files[i], RTLD_NOW);
      if (!binding || !dlsym(binding, "napi_register_module_v1")) {
        puts(dlerror());
        return 1;
      }
    }
    printf("%d", count - 1);
    return 0;
  }`

test(
  'the bindings for musl are loaded by a program linked with musl, each system call and function found',
  onX64('program:musl-gcc', 'program:readelf'),
  () => {
    using dir = temporaryDirectory('musl-')
    const files = natives.map(({ name, tarball }) => {
      const path = `prebuilds/linux-x64/${short(name)}.musl.node`
      execFileSync('tar', ['xzf', tarball, '-C', dir.path, '--strip-components=1', `package/${path}`])
      return join(dir.path, path)
    })
    const symbols = execFileSync('readelf', ['--wide', '--dyn-syms', ...files], { encoding: 'utf8' })
    const wanted = new Set([...symbols.matchAll(/ UND ((?:napi|node_api)_\w+)/g)].map(match => match[1]!))
    writeFileSync(join(dir.path, 'loader.c'), loader([...wanted]))
    const program = join(dir.path, 'loader')
    execFileSync('musl-gcc', ['-rdynamic', '-o', program, join(dir.path, 'loader.c')])
    const { status, stdout } = spawnSync(program, files, { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: String(natives.length) })
  },
)

describe('a binding for another C library or architecture is refused by name', () => {
  const call = `
    const { pipe } = await import('@libcontainer/sys')
    let outcome
    try {
      outcome = { fd: pipe().read.fd }
    } catch ({ code, message, hint }) {
      outcome = { code, message, hint }
    }
    console.log(JSON.stringify(outcome))`
  let dir: ReturnType<typeof temporaryDirectory>
  let prebuilds: string

  beforeAll(() => {
    dir = temporaryDirectory('foreign-')
    const folder = join(dir.path, 'empty')
    mkdirSync(folder)
    install(folder, binFolder(join(dir.path, 'bin'), ['node', 'npm', 'sh', 'env']), '@libcontainer/sys')
    writeFileSync(join(folder, 'program.mjs'), call)
    prebuilds = join(folder, 'node_modules/@libcontainer/sys/prebuilds')
    return () => dir[Symbol.dispose]()
  })

  const outcome = () => {
    const cwd = join(dir.path, 'empty')
    const { stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], { cwd, encoding: 'utf8', env: environment })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as { fd?: number; code?: string; message?: string; hint?: string }
  }
  const here = () => join(prebuilds, `linux-${process.arch}`)
  const other = process.arch === 'x64' ? 'arm64' : 'x64'

  test('musl, in the place of glibc', () => {
    expect(outcome().fd).toBeGreaterThan(2)
    copyFileSync(join(here(), 'sys.musl.node'), join(here(), 'sys.glibc.node'))
    const { code, message, hint } = outcome()
    expect(code).toBe('ERR_BINDING_REFUSED')
    expect(message).toContain(
      `it was built for linux-${process.arch} (musl), and this Node.js is for linux-${process.arch} (glibc)`,
    )
    expect(hint).toContain('install the package again')
  })

  test('another architecture', () => {
    copyFileSync(join(prebuilds, `linux-${other}/sys.glibc.node`), join(here(), 'sys.glibc.node'))
    const { code, message } = outcome()
    expect(code).toBe('ERR_BINDING_REFUSED')
    expect(message).toContain(`it was built for linux-${other} (glibc)`)
  })

  test('none but musl', () => {
    rmSync(join(here(), 'sys.glibc.node'))
    const { code, message } = outcome()
    expect(code).toBe('ERR_NO_BINDING')
    expect(message).toContain(`for linux-${process.arch} (glibc)`)
    expect(message).toContain(`linux-${process.arch}/sys.musl.node`)
    expect(existsSync(join(here(), 'sys.musl.node'))).toBe(true)
  })
})
