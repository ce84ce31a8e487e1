import { works } from './run.mjs'

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

const zig = machine => ['python3', '-m', 'ziglang', 'cc', '-target', `${machine}-linux-musl`, '-fno-sanitize=undefined']

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
