import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { LibcontainerError } from '../errors/errors.js'
import { ABI } from './abi.js'

type Libc = 'glibc' | 'musl'

const require = createRequire(import.meta.url)

/** Packages are installed from npm, or built where their sources are. */
const AGAIN = 'install the package again, with all its files; or build it where its sources are: npm run build'

/**
 * The binding of a package: the file that was built here, else the prebuild for this architecture and C library. By its absolute path: nothing
 * in the working directory or the environment leads elsewhere.
 *
 * @param url - of a module in the package's `dist/`
 */
export function loadAddon(name: string, url: string): unknown {
  refuseOtherPlatforms()
  const root = packageRoot(url)
  return permitted(root, () => {
    // A build from source comes first, so that whoever changes the C sees the change.
    const built = `${root}build/Release/${name}.node`
    if (existsSync(built)) return agreeing(name, built, load(built))
    const prebuilt = `${root}prebuilds/linux-${process.arch}/${name}.${libcHere()}.node`
    if (existsSync(prebuilt)) return agreeing(name, prebuilt, load(prebuilt))
    throw noBinding(name, root, [built, prebuilt])
  })
}

/** A file that a package ships for this architecture, such as `init`. */
export function loadAsset(name: string, url: string): Uint8Array {
  const path = findAsset(name, url)
  return permitted(packageRoot(url), () => readFileSync(path))
}

/** Where it is. */
export function findAsset(name: string, url: string): string {
  refuseOtherPlatforms()
  const root = packageRoot(url)
  return permitted(root, () => {
    const path = `${root}prebuilds/linux-${process.arch}/${name}`
    if (existsSync(path)) return path
    throw new LibcontainerError('ERR_NO_BINDING', `the package lacks ${path}${shipped(root, name)}`, { hint: AGAIN })
  })
}

function refuseOtherPlatforms(): void {
  if (process.platform === 'linux') return
  throw new LibcontainerError('ERR_UNSUPPORTED_PLATFORM', `libcontainer runs on Linux, not on ${process.platform}`, {
    hint: 'run it in a Linux machine, a virtual one for example; modules that only parse and plan work here',
  })
}

/** From `dist/x.js` or `dist/node/x.js` up to the package. */
function packageRoot(url: string): string {
  const path = fileURLToPath(url)
  return path.slice(0, path.lastIndexOf('/dist/') + 1)
}

/** What Node.js' permission model refuses, by its own codes, with what would allow it. */
function permitted<T>(root: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ERR_ACCESS_DENIED') {
      throw new LibcontainerError(code, `Node.js' permission model forbids reading in ${root}`, {
        hint: `start Node.js with --allow-fs-read=${root}`,
        cause,
      })
    }
    throw cause
  }
}

function load(file: string): unknown {
  // glibc refuses what was linked with musl; musl takes what was linked with glibc, and crashes in it.
  if (libcHere() === 'musl' && builtFor(file)?.libc === 'glibc') throw refused(file)
  // Of a file that was cut short, dlopen(3) maps what is not there, and the first look at it kills the process.
  if (isCut(file)) throw refused(file)
  try {
    return require(file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') {
      throw new LibcontainerError('ERR_DLOPEN_DISABLED', `this Node.js may load no native code, and so not ${file}`, {
        hint: 'start Node.js with --allow-addons beside --permission, and without --no-addons',
        cause,
      })
    }
    throw refused(file, cause)
  }
}

/** The binding, when it is of the same contract as this file: anything else called in it could end the process. */
function agreeing(name: string, file: string, addon: unknown): unknown {
  const { abi } = addon as { abi?: unknown }
  if (abi === ABI) return addon
  const theirs = typeof abi === 'string' ? `of ${abi}` : 'of a build without a word for that'
  throw new LibcontainerError(
    'ERR_BINDING_MISMATCH',
    `cannot use ${file}: it is ${theirs}, and ${fileURLToPath(import.meta.url)} is of ${ABI}`,
    {
      hint: `install @libcontainer/${name} and @libcontainer/sys again, of releases that go together; or build both where their sources are: npm run build`,
    },
  )
}

function noBinding(name: string, root: string, places: readonly string[]): LibcontainerError {
  const message = `no binding of ${name} for ${describe(process.arch, libcHere())}: looked for ${places.join(' and ')}`
  return new LibcontainerError('ERR_NO_BINDING', `${message}${shipped(root, `${name}.`)}`, { hint: AGAIN })
}

/** What the package has instead. */
function shipped(root: string, prefix: string): string {
  const folder = `${root}prebuilds`
  const found = existsSync(folder)
    ? readdirSync(folder).flatMap(target =>
        readdirSync(`${folder}/${target}`)
          .filter(file => file.startsWith(prefix))
          .map(file => `${target}/${file}`),
      )
    : []
  return `; the package has ${found.length === 0 ? 'no prebuilds' : found.sort().join(', ')}`
}

/** What dlopen(3) says of a file for another machine is that it does not exist: the file itself says more. */
function refused(file: string, cause?: unknown): LibcontainerError {
  const built = builtFor(file)
  const here = describe(process.arch, libcHere())
  let problem = (cause as Error | undefined)?.message ?? ''
  if (built === undefined) problem = 'it is no ELF file'
  else if (isCut(file)) problem = 'its end is missing'
  else if (built.arch !== process.arch || (built.libc !== undefined && built.libc !== libcHere())) {
    problem = `it was built for ${describe(built.arch, built.libc)}, and this Node.js is for ${here}`
  }
  const old = /GLIBC_[\d.]+' not found/.test(problem)
  const hint = old ? 'glibc 2.28 or later is needed, as Node.js 20 itself needs it' : AGAIN
  return new LibcontainerError('ERR_BINDING_REFUSED', `cannot load ${file}: ${problem}`, { hint, cause })
}

function describe(arch: string, libc: Libc | undefined): string {
  return libc === undefined ? `linux-${arch}` : `linux-${arch} (${libc})`
}

/** e_machine in <elf.h> */
const machines = new Map([
  [3, 'ia32'],
  [40, 'arm'],
  [62, 'x64'],
  [183, 'arm64'],
  [243, 'riscv64'],
])

/** What a binding's ELF header and the names of its libraries tell. */
function builtFor(file: string): { arch: string; libc: Libc | undefined } | undefined {
  const bytes = readFileSync(file)
  if (bytes.length < 64 || bytes.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  const machine = bytes.readUInt16LE(18)
  let libc: Libc | undefined
  if (bytes.includes('\0libc.so.6\0')) libc = 'glibc'
  else if (bytes.includes('\0libc.so\0') || bytes.includes('\0libc.musl-')) libc = 'musl'
  return { arch: machines.get(machine) ?? `machine ${machine}`, libc }
}

/** Whether an ELF file ends before its table of sections, which stands at the end. */
function isCut(file: string): boolean {
  const head = Buffer.alloc(64)
  const fd = openSync(file, 'r')
  try {
    const table = readSync(fd, head, 0, 64, 0) < 64 ? 0 : Number(head.readBigUInt64LE(40))
    return table + head.readUInt16LE(58) * head.readUInt16LE(60) > fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

let libc: Libc | undefined

/** Which C library this Node.js itself was linked for: its interpreter says so, in the first page of the executable. */
function libcHere(): Libc {
  libc ??= interpreter().includes('ld-musl-') ? 'musl' : 'glibc'
  return libc
}

function interpreter(): string {
  const head = Buffer.alloc(4096)
  try {
    const fd = openSync(process.execPath, 'r')
    try {
      readSync(fd, head, 0, head.length, 0)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    // Node.js 20's permission model closes the executable, too. A report takes milliseconds.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw error
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime === undefined ? 'ld-musl-' : ''
  }
  return head.toString('latin1')
}
