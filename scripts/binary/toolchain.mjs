import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, works } from './run.mjs'

/** Where set-up puts the zig compiler: for a caller that did not look there. */
const python = fileURLToPath(new URL('../../.cache/python', import.meta.url))
process.env.PYTHONPATH = [python, process.env.PYTHONPATH].filter(Boolean).join(delimiter)

const triples = { x64: 'x86_64', arm64: 'aarch64' }

/** musl has no kernel headers of its own: the host's stand behind its own. */
const musl = machine => [
  'musl-gcc',
  '-no-pie',
  '-idirafter',
  '/usr/include',
  '-idirafter',
  `/usr/include/${machine}-linux-gnu`,
]

const ziglang = ['python3', '-m', 'ziglang']
const zig = machine => [...ziglang, 'cc', '-target', `${machine}-linux-musl`, '-fno-sanitize=undefined']

/** The oldest glibc that a binding asks for: that of Node.js 20 itself. */
const GLIBC = '2.28'

/**
 * The environment that makes node-gyp compile for an architecture and a C library (`glibc`, `musl`): with zig, which has headers and stubs
 * of both, and its version, on which the outcome depends. The program itself, since node-gyp has a `python3` of its own choice.
 */
export async function crossEnvironment(arch, libc) {
  if (!(await works(...ziglang, 'version'))) {
    throw new Error(
      'prebuilds are compiled with zig, which is absent: scripts/setup ci, or python3 -m pip install ziglang',
    )
  }
  const say = 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"), end="")'
  const program = (await run(['python3', '-c', say])).toString()
  const target = `${triples[arch]}-linux-${libc === 'glibc' ? `gnu.${GLIBC}` : 'musl'}`
  // Without debug information, which zig makes by default, and which is stripped.
  const flags = ['-target', target, '-fno-sanitize=undefined', '-g0']
  const command = (language, ...more) => [program, language, ...flags, ...more].join(' ')
  const version = (await run([program, 'version'])).toString().trim()
  // Linked as C: zig would compile libc++ for each target, of which a binding needs headers alone (packages/sys/native/libcxx.h), and no more
  // of those than it names. An allocator of its own is nobody else's.
  const CXX = command('c++', '-D_LIBCPP_REMOVE_TRANSITIVE_INCLUDES', '-fvisibility-global-new-delete=force-hidden')
  return { environment: { CC: command('cc'), CXX, LINK: command('cc') }, version, target }
}

/**
 * The command of a C compiler that links static programs for an architecture (`x64`, `arm64`), or `undefined` where there is none:
 * then `missing` says what to install.
 */
export async function compilerFor(arch) {
  const machine = triples[arch]
  if (machine === undefined) throw new Error(`no such architecture: ${arch} (x64 and arm64 are)`)
  if (arch === process.arch && (await works('musl-gcc', '--version'))) return musl(machine)
  if (await works('python3', '-m', 'ziglang', 'version')) return zig(machine)
  return undefined
}

export function missing(arch) {
  return arch === process.arch ? 'apt-get install musl-tools linux-libc-dev' : 'python3 -m pip install ziglang'
}
