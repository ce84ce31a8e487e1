import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MountInfo, parseMountInfo, seenAt } from '@libcontainer/mount'
import { encodePlan, type Step } from '@libcontainer/sys'
import { temporaryDirectory } from '../../../test/support/index.js'

export interface Failure {
  step: number
  syscall: string
  errno: number
  detail: string
}

export interface Applied {
  /** `undefined` when every step succeeded. */
  failure: Failure | undefined
  mounts: MountInfo[]
  /** What the script printed. */
  output: string
  status: number | null
}

export interface Applier extends Disposable {
  /**
   * @param words - namespaces and restrictions, as test/apply.c tells
   * @param handed - descriptors that the driver gets as 3, 4, …
   */
  apply(steps: readonly Step[], words?: readonly string[], script?: string, handed?: readonly number[]): Applied
}

const here = import.meta.dirname
const own = [
  'attributes',
  'bind',
  'copy',
  'files',
  'filesystem',
  'mask',
  'move',
  'ops',
  'overlay',
  'root',
  'table',
  'target',
]
const sources = [
  join(here, 'apply.c'),
  ...own.map(name => join(here, `../native/${name}.c`)),
  ...['apply', 'path', 'procfs'].map(name => join(here, `../../sys/native/${name}.c`)),
]

/** Compiles the driver once for a test file. */
export function compileApplier(): Applier {
  const directory = temporaryDirectory('mount-apply-')
  const program = join(directory.path, 'apply')
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-Wno-missing-field-initializers']
  execFileSync('gcc', [
    ...flags,
    '-fsanitize=undefined',
    '-fno-sanitize-recover',
    '-static-libubsan',
    '-o',
    program,
    ...sources,
  ])
  return {
    apply(steps, words = [], script, handed = []) {
      const args = script === undefined ? [...words] : [...words, '--', script]
      const stdio = ['pipe' as const, 'pipe' as const, 'pipe' as const, ...handed]
      return read(
        spawnSync(program, args, { input: encodePlan(steps).bytes, encoding: 'utf8', timeout: 20_000, stdio }),
      )
    },
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

function read({ stdout, stderr, status }: { stdout: string; stderr: string; status: number | null }): Applied {
  const [first = '', ...rest] = stdout.split('\n')
  const end = rest.indexOf('--')
  const failed = /^failed (\d+) (\S+) (\d+) ?(.*)$/.exec(first)
  if (end < 0 || (first !== 'ok' && failed === null)) throw new Error(`the driver failed: ${stderr}${stdout}`)
  const [, step = '', syscall = '', errno = '', detail = ''] = failed ?? []
  return {
    failure: failed === null ? undefined : { step: Number(step), syscall, errno: Number(errno), detail },
    mounts: parseMountInfo(rest.slice(0, end).join('\n')),
    output: rest.slice(end + 1).join('\n') + stderr,
    status,
  }
}

/** The mount that is seen at `path`, which must be one. */
export function at(mounts: readonly MountInfo[], path: string): MountInfo {
  const found = seenAt(mounts, path)
  if (found === undefined) throw new Error(`nothing is mounted on ${path}: ${mounts.map(mount => mount.mountPoint)}`)
  return found
}

/** The host's mounts that a test could have changed: its root, and whatever lies in the test's place. */
export function hostMounts(place: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes(place) || line.split(' ')[4] === '/')
}
