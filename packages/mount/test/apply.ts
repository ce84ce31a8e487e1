import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePlan, type Step } from '@libcontainer/sys'
import { type MountInfo, parseMountInfo } from '../src/mount-info.js'

const here = import.meta.dirname
const files = ['attributes', 'bind', 'filesystem', 'mask', 'ops', 'root', 'target'].map(name => join(here, `../native/${name}.c`))
const sys = ['apply', 'path', 'procfs'].map(name => join(here, `../../sys/native/${name}.c`))

export interface Applied {
  /** `undefined` when every step succeeded. */
  failure?: { step: number; syscall: string; errno: number; detail: string }
  mounts: MountInfo[]
  /** What the script printed. */
  output: string
  status: number | null
}

export interface Applier {
  /** @param words - namespaces and restrictions, as test/apply.c tells */
  apply(steps: readonly Step[], words?: readonly string[], script?: string): Applied
  close(): void
}

/** Compiles the driver once for a test file. */
export function compileApplier(): Applier {
  const directory = mkdtempSync(join(tmpdir(), 'lc-mount-apply-'))
  const program = join(directory, 'apply')
  execFileSync('gcc', ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Wno-missing-field-initializers', '-fsanitize=undefined', '-fno-sanitize-recover', '-o', program, join(here, 'apply.c'), ...files, ...sys])
  return {
    apply(steps, words = [], script) {
      const args = script === undefined ? [...words] : [...words, '--', script]
      const result = spawnSync(program, args, { input: encodePlan(steps).bytes, encoding: 'utf8', timeout: 20_000 })
      const [first = '', ...rest] = result.stdout.split('\n')
      const end = rest.indexOf('--')
      if (end < 0) throw new Error(`the driver failed: ${result.stderr}${result.stdout}`)
      const applied: Applied = {
        mounts: parseMountInfo(rest.slice(0, end).join('\n')),
        output: rest.slice(end + 1).join('\n') + result.stderr,
        status: result.status,
      }
      const failed = /^failed (\d+) (\S+) (\d+) (.*)$/.exec(first)
      if (failed) {
        const [, step, syscall, errno, detail] = failed as unknown as [string, string, string, string, string]
        applied.failure = { step: Number(step), syscall, errno: Number(errno), detail }
      } else if (first !== 'ok') throw new Error(`the driver said: ${first}`)
      return applied
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
