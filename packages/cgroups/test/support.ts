import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { Cgroup, type CgroupHost, type CreateOptions, cgroupHost, type Limits } from '@libcontainer/cgroups'
import { onTestFinished } from 'vitest'
import { ownUnifiedCgroup } from '../../../test/support/index.js'

let made = 0

/** Where cgroups may be made: at the top by root, beside its own by a user to whom that is delegated. */
const base = process.getuid?.() === 0 ? '' : dirname(ownUnifiedCgroup() ?? '/').replace(/\/$/, '')

/** A name that no other test has. */
export const freshPath = (): string => `${base}/lc-test-${process.pid}-${made++}`

/** A cgroup that is killed and removed at the test's end, in every hierarchy. */
export async function freshCgroup(limits: Limits = {}, options: CreateOptions = {}): Promise<Cgroup> {
  const path = freshPath()
  removedAtEnd(path)
  return await Cgroup.create(path, limits, options)
}

export function removedAtEnd(path: string): void {
  onTestFinished(async () => {
    if ((await directoriesOf(path)).length === 0) return
    const left = await Cgroup.open(path)
    await left.kill()
    await left.destroy({ timeoutMs: 5000 })
  })
}

/** Where a cgroup is, in all that is mounted. */
export async function directoriesOf(path: string): Promise<string[]> {
  const { hierarchies } = await cgroupHost()
  return hierarchies.map(({ mountpoint }) => mountpoint + path).filter(directory => existsSync(directory))
}

/** Under which of a cgroup's `paths` the files of a controller are: its name on v1, `''` on v2. */
export const keyOf = ({ paths }: Cgroup, controller: string): string => (paths.has(controller) ? controller : '')

/** Takes back at the test's end what it makes the top of the unified hierarchy hand on. */
export async function takesBackHandedOn(controller: string): Promise<void> {
  const unified = (await cgroupHost()).hierarchies.find(({ version }) => version === 2)
  const file = `${unified?.mountpoint}/cgroup.subtree_control`
  if (unified === undefined || readFileSync(file, 'utf8').includes(controller)) return
  onTestFinished(() => writeFileSync(file, `-${controller}`))
}

/** The directory of a cgroup that has the files of a controller. */
export const directoryOf = (group: Cgroup, controller: string): string => group.paths.get(keyOf(group, controller))!

/** This host seen as if it had only some of its hierarchies. */
export async function hostOf(mode: 'v1' | 'v2', controllers: readonly string[] = []): Promise<CgroupHost> {
  const { hierarchies } = await cgroupHost()
  const version = mode === 'v2' ? 2 : 1
  return {
    mode,
    hierarchies: hierarchies
      .filter(hierarchy => hierarchy.version === version)
      .map(hierarchy => (mode === 'v2' ? { ...hierarchy, controllers } : hierarchy)),
  }
}

export interface Run {
  readonly child: ChildProcess
  readonly pid: number
  /** Lets the command begin. */
  go(): void
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

/** A shell that waits for `go` before it runs the command: long enough to be put into a cgroup. Killed at the test's end. */
export function run(command: string): Run {
  const child = spawn('sh', ['-c', `read go\n${command}`], { stdio: 'pipe' })
  const ended = (async () => {
    const [[code, signal], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
      text(child.stdout),
      text(child.stderr),
    ])
    return { code, signal, stdout, stderr }
  })()
  child.stdin.on('error', () => undefined)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, pid: child.pid!, ended, go: () => void child.stdin.end('go\n') }
}

/** The cgroups of a process, by controller. */
export function cgroupsOf(pid: number): Map<string, string> {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  return new Map(lines.map(line => line.split(':').slice(1, 3) as [string, string]))
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
