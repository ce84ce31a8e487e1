import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Cgroup } from '@libcontainer/cgroups'
import { type ContainerConfig, type ProcessSpec, plan, resolveConfig } from '@libcontainer/container'
import { type Answer, ask, bootstrap, type Request } from '@libcontainer/init'
import { type MountInfo, parseMountInfo } from '@libcontainer/mount'
import { joinTarget, writeIdMaps } from '@libcontainer/namespaces'
import { killPidfd, type OwnedFd, type Step, waitExit } from '@libcontainer/sys'
import { attributesOf } from '../../packages/container/dist/plan/attributes.js'
import { planExec } from '../../packages/container/dist/plan/exec.js'
import { hostFacts } from '../../packages/container/dist/plan/facts.js'
import { answerUser } from '../../packages/container/dist/start/user-answer.js'
import { copyOfBusyboxRootfs } from '../support/index.js'
import { Victim } from './victim.js'

/** A plan made weaker: steps left out, or replaced. */
export type Weaken = (steps: readonly Step[], rootfs: string) => readonly Step[]

export interface Trial {
  readonly config?: Partial<ContainerConfig>
  readonly spec?: Partial<ProcessSpec>
  /** Default: the plan as `plan` of container makes it. */
  readonly weaken?: Weaken | undefined
  /** Answers of asks, in place of what a container is answered. */
  readonly answers?: Readonly<Record<string, (request: Request) => Answer | undefined | Promise<Answer | undefined>>>
  /** Descriptors that become 0, 1 and 2. Default: the null device, and files that the output is read from. */
  readonly stdio?: readonly [number, number, number]
  readonly extraFds?: readonly number[]
  /** Descriptors for slots of the weakened plan. */
  readonly handed?: Readonly<Record<string, number>>
  /** Called while the program runs, which is killed afterwards. */
  readonly during?: (pid: number) => void | Promise<void>
}

export interface Tried {
  /** Why there was no program: `undefined` when it ran. */
  readonly refused: (Error & { code?: string; errno?: number; path?: string; detail?: string }) | undefined
  readonly stdout: string
  readonly stderr: string
  readonly code: number | undefined
  readonly signal: number | undefined
  /** The mounts of the container, seen before its root was changed: with the paths of the host. */
  readonly mounts: readonly MountInfo[]
}

interface Plan {
  readonly steps: readonly Step[]
  readonly cloneFlags: number
  readonly user: boolean
  readonly slots: readonly string[]
}

const specOf = (script: string, { spec }: Trial): ProcessSpec => ({
  args: ['/bin/sh', '-c', script],
  env: ['PATH=/bin', 'HOME=/'],
  ...spec,
})

let count = 0

/**
 * A root filesystem that is the attacker's, a tree of the host's that he wants, and containers made of plans: the real one, as `plan` makes it, or
 * a weakened one, both applied by `init` through the same bootstrap. Both have one step more, which only waits: before the root is changed the
 * test looks at the mounts.
 */
export class Jail implements AsyncDisposable {
  readonly #place = copyOfBusyboxRootfs()
  readonly #cgroup: Cgroup
  readonly rootfs: string
  readonly victim = new Victim()

  private constructor(cgroup: Cgroup) {
    this.#cgroup = cgroup
    this.rootfs = this.#place.path
    chmodSync(this.rootfs, 0o755)
  }

  static async open(): Promise<Jail> {
    count++
    return new Jail(await Cgroup.create(`/escape-${process.pid}-${count}`, {}))
  }

  /** Puts a link in the place of whatever the image has. */
  link(to: string, path: string): void {
    this.remove(path)
    mkdirSync(dirname(join(this.rootfs, path)), { recursive: true })
    symlinkSync(to, join(this.rootfs, path))
  }

  /** Puts a directory there. */
  directory(path: string): void {
    this.remove(path)
    mkdirSync(join(this.rootfs, path), { recursive: true })
  }

  file(path: string, text: string | Uint8Array, mode = 0o644): void {
    this.remove(path)
    mkdirSync(dirname(join(this.rootfs, path)), { recursive: true })
    writeFileSync(join(this.rootfs, path), text)
    chmodSync(join(this.rootfs, path), mode)
  }

  remove(path: string): void {
    rmSync(join(this.rootfs, path), { recursive: true, force: true })
  }

  /** Gives the directories of its cgroup away: whoever owns them may make cgroups there. */
  own(uid: number): void {
    for (const path of new Set(this.#cgroup.paths.values())) chownSync(path, uid, uid)
  }

  /** The real plan of such a container. */
  async plan({ config, spec }: Trial): Promise<Plan> {
    const { steps, namespaces, slots } = await plan('escape', this.#config(config), { args: ['/bin/true'], ...spec })
    return { steps, cloneFlags: namespaces.cloneFlags, user: namespaces.clonesUser, slots }
  }

  #config(config: Trial['config']): ContainerConfig {
    return { rootfs: this.rootfs, ...config, cgroups: { ...config?.cgroups, path: this.#cgroup.path } }
  }

  /** Runs a shell script, or what `spec` says, to its end. */
  async run(script: string, trial: Trial = {}): Promise<Tried> {
    const spec = specOf(script, trial)
    return await this.#apply(await this.plan({ ...trial, spec }), spec, trial)
  }

  /** The same as a further process of a container whose first process is `pid`, by the plan of a further process. */
  async exec(pid: number, script: string, trial: Trial = {}): Promise<Tried> {
    const spec = specOf(script, trial)
    const { pidfd, kinds } = await joinTarget(pid)
    try {
      const config = resolveConfig('escape', this.#config(trial.config))
      const facts = { ...(await hostFacts()), kinds, joinCgroups: this.#cgroup.joinSelfSteps() }
      const made = { cloneFlags: 0, user: false, ...planExec(spec, attributesOf(config, spec, false), facts) }
      return await this.#apply(made, spec, { ...trial, handed: { ...trial.handed, target: pidfd.fd } })
    } finally {
      pidfd.close()
    }
  }

  async #apply({ steps: real, cloneFlags, user, slots }: Plan, spec: ProcessSpec, trial: Trial): Promise<Tried> {
    const steps = withLook(trial.weaken?.(real, this.rootfs) ?? real)
    const paths = ['null', 'out', 'err'].map(name => join(this.victim.place, name))
    const files = [openSync('/dev/null', 'r'), openSync(paths[1]!, 'w'), openSync(paths[2]!, 'w')]
    const output = (i: number): string => readFileSync(paths[i]!, 'utf8')
    let mounts: readonly MountInfo[] = []
    const uid = trial.config?.uidMappings ?? []
    const gid = trial.config?.gidMappings ?? []
    let terminal: OwnedFd | undefined
    const unified = await this.#cgroup.openUnified()
    try {
      const { pid, pidfd } = await bootstrap({
        steps,
        slots,
        cloneFlags,
        keepCapabilities: user,
        cgroup: unified,
        stdio: trial.stdio ?? [files[0]!, files[1]!, files[2]!],
        extraFds: trial.extraFds ?? [],
        handed: trial.handed ?? {},
        rendezvous: {
          look: ({ pid }) => {
            mounts = parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))
            return undefined
          },
          maps: async ({ pid }) => {
            await writeIdMaps(pid, { uid, gid })
            return undefined
          },
          user: ({ files }) => answerUser(spec, files),
          ready: () => undefined,
          terminal: ({ fds: [master] }) => {
            // While nobody holds it there is no terminal.
            terminal = master
            return undefined
          },
          ...trial.answers,
        },
      })
      const status = await ended(pid, pidfd, trial.during)
      return { refused: undefined, stdout: output(1), stderr: output(2), ...status, mounts }
    } catch (error) {
      return {
        refused: error as Error,
        stdout: output(1),
        stderr: output(2),
        code: undefined,
        signal: undefined,
        mounts,
      }
    } finally {
      unified?.close()
      terminal?.close()
      for (const file of files) closeSync(file)
    }
  }

  /** Mount points outside of the root filesystem that the host does not have: where a mount was led astray. */
  astray({ mounts }: Tried): string[] {
    const host = new Map<string, number>()
    for (const { mountPoint } of parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')))
      host.set(mountPoint, (host.get(mountPoint) ?? 0) + 1)
    return mounts
      .map(({ mountPoint }) => mountPoint)
      .filter(point => point !== this.rootfs && !point.startsWith(`${this.rootfs}/`))
      .filter(point => {
        const left = host.get(point) ?? 0
        host.set(point, left - 1)
        return left <= 0
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cgroup.kill()
    await this.#cgroup.destroy()
    this.victim[Symbol.dispose]()
    this.#place[Symbol.dispose]()
  }
}

/** How long a program may run: none of them has to wait for anything. */
const PATIENCE = 20_000

async function ended(
  pid: number,
  pidfd: OwnedFd,
  during: Trial['during'],
): Promise<{ code: number | undefined; signal: number | undefined }> {
  const late = setTimeout(() => killPidfd(pidfd), PATIENCE)
  try {
    await during?.(pid)
    if (during !== undefined) killPidfd(pidfd)
    const { code, signal } = await waitExit(pidfd)
    return { code, signal }
  } finally {
    clearTimeout(late)
    pidfd.close()
  }
}

/** Before the root is changed, where it is. */
function withLook(steps: readonly Step[]): Step[] {
  const at = steps.findIndex(({ op }) => op === 'pivotRoot')
  return at < 0
    ? [...steps]
    : [...steps.slice(0, at), ask('look', 'let the test look at the mounts'), ...steps.slice(at)]
}
