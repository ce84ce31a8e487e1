// Builds the static program `init` for one architecture: with Debian's musl-gcc for this machine's own, with zig for others.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const packages = join(top, 'packages')
const triples = { x64: 'x86_64-linux-musl', arm64: 'aarch64-linux-musl' }

/** The C files of a facility, as its binding.gyp lists them: one list for all three programs that link them. */
export function facilitySources(name) {
  const gyp = readFileSync(join(packages, name, 'binding.gyp'), 'utf8')
  return [...gyp.matchAll(/'((?:\.\.\/sys\/)?native\/[\w/-]+\.c)'/g)].map(match => join(packages, name, match[1]))
}

/** What `init` links beside its own files: the facilities that have steps for it. */
export const facilities = ['cgroups', 'mount', 'devices', 'namespaces', 'capabilities', 'console', 'seccomp', 'keys']

export function initSources() {
  const own = ['init', 'rendezvous', 'exec', 'hook', 'landlock', 'ops', 'reaper', 'waiter'].map(name =>
    join(packages, 'init/native', `${name}.c`),
  )
  // Of those that do more, the file that has a step.
  const others = ['sys/native/label.c', 'netlink/native/request.c'].map(name => join(packages, name))
  return [...new Set([...own, ...others, ...facilities.flatMap(facilitySources)])]
}

export const warnings = ['-Wall', '-Wextra', '-Wno-missing-field-initializers', '-Wno-unused-parameter']
export const musl = ['-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu']

export function buildInit(arch = process.arch) {
  const out = join(packages, 'init/prebuilds', `linux-${arch}`, 'init')
  const native = arch === process.arch && arch === 'x64'
  const [compiler, ...prefix] = native
    ? ['musl-gcc', ...musl]
    : ['python3', '-m', 'ziglang', 'cc', '-target', triples[arch]]
  mkdirSync(dirname(out), { recursive: true })
  const flags = [
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-DLC_INIT',
    '-Os',
    // It lies where it was linked to: tables of pointers are constants then, which the kernel shares among all containers.
    '-fno-pie',
    ...warnings,
    '-fno-asynchronous-unwind-tables',
    '-ffunction-sections',
    '-fdata-sections',
  ]
  const link = [
    '-static',
    '-no-pie',
    '-s',
    '-Wl,--gc-sections',
    '-Wl,-z,noexecstack',
    '-Wl,-z,norelro',
    '-Wl,--build-id=none',
  ]
  const run = spawnSync(compiler, [...prefix, ...flags, ...link, '-o', `${out}.new`, ...initSources()], {
    stdio: 'inherit',
  })
  if (run.status !== 0)
    throw new Error(`init for ${arch}: ${run.error?.message ?? `the compiler ended with ${run.status}`}`)
  renameSync(`${out}.new`, out)
  console.log(`init for linux-${arch}: ${statSync(out).size} bytes`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const arch of process.argv.slice(2)) buildInit(arch)
