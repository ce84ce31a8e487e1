import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  busyboxRootfs,
  outcome,
  type Result,
  Running,
  requires,
  temporaryDirectory,
  until,
} from '../../../test/support/index.js'

export { Running, until }

const executable = fileURLToPath(new URL('../../../bundles/nsinit', import.meta.url))
const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))

/** A way to run nsinit. */
export interface TestHost {
  readonly name: string
  readonly command: readonly string[]
  /** Of a test that runs containers. */
  readonly needs: ReturnType<typeof requires>
  /** Of a test that only asks the command line. */
  readonly asks: ReturnType<typeof requires>
}

export const hosts: readonly TestHost[] = [
  { name: 'Node.js', command: [process.execPath, main], needs: requires('root', 'rootfs'), asks: requires() },
  {
    name: 'the executable',
    command: [executable],
    needs: requires('root', 'rootfs', `file:${executable}`),
    asks: requires(`file:${executable}`),
  },
]

/** Of a test that starts nsinit often: a busy machine takes a second for each on Node.js. */
export const often = (needs: TestHost['needs']): TestHost['needs'] & { timeout: number } => ({
  ...needs,
  timeout: 120_000,
})

/** A directory with a container.json, and a state root, both of the test's own. */
export class Bench implements Disposable {
  readonly #place = temporaryDirectory('nsinit-')
  readonly #children: ChildProcess[] = []
  readonly host: TestHost
  readonly path: string
  readonly stateRoot: string

  constructor(host: TestHost, config: object | null = {}) {
    this.host = host
    // A name of its own, so that its cgroups can be told from others.
    this.path = join(this.#place.path, basename(this.#place.path))
    this.stateRoot = join(this.#place.path, 'state')
    spawnSync('mkdir', ['-p', this.path])
    chmodSync(this.#place.path, 0o755)
    if (config !== null) this.write({ rootfs: busyboxRootfs(), ...config })
  }

  /** Replaces container.json. */
  write(config: unknown): void {
    const text = typeof config === 'string' ? config : JSON.stringify(config)
    writeFileSync(join(this.path, 'container.json'), text)
  }

  command(args: readonly string[]): [string, ...string[]] {
    const [first, ...rest] = this.host.command
    return [first!, ...rest, '--root', this.stateRoot, ...args]
  }

  /** Runs nsinit to its end. */
  run(args: readonly string[], { input = '', env = {}, cwd = this.path }: RunOptions = {}): Result {
    const [first, ...rest] = this.command(args)
    const result = spawnSync(first, rest, {
      cwd,
      env: { ...process.env, ...env },
      input,
      encoding: 'utf8',
      timeout: 60_000,
    })
    return outcome(result)
  }

  /** Starts nsinit, and kills it at the end of the test if that is still needed. */
  start(
    args: readonly string[],
    options: { before?: readonly string[]; stdio?: number[]; cwd?: string } = {},
  ): Running {
    const [first, ...rest] = [...(options.before ?? []), ...this.command(args)]
    const child = spawn(first!, rest, { cwd: options.cwd ?? this.path, stdio: options.stdio ?? 'pipe' })
    this.#children.push(child)
    return new Running(child)
  }

  /** The state, once the container runs. */
  async running(status = 'running'): Promise<Record<string, unknown>> {
    return await until(`a container that is ${status}`, () => {
      const { stdout } = this.run(['state'])
      const state = stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
      return state.status === status ? state : undefined
    })
  }

  /** What is left of containers: the files of the state root, state.json, and cgroups. */
  left(): string[] {
    const files = existsSync(this.stateRoot) ? readdirSync(this.stateRoot) : []
    const copies = readdirSync(this.path).filter(name => name.includes('state.json'))
    return [...files, ...copies, ...cgroupsOf(this.path)]
  }

  /** Ends what a failed test has left running. */
  #clean(): void {
    const { stdout } = this.run(['state'])
    if (stdout !== '') {
      this.run(['unpause'])
      try {
        process.kill(JSON.parse(stdout).init_process_pid, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
    this.write({ rootfs: busyboxRootfs() })
    // The first ones may still find it dying.
    for (let tries = 0; tries < 20 && this.left().length > 0; tries++) this.run(['exec', '/bin/true'])
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    if (this.left().length > 0) this.#clean()
    this.#place[Symbol.dispose]()
  }
}

export interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** The cgroups of a directory's container, by the default name. */
export function cgroupsOf(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(fields => /^cgroup2?$/.test(fields[fields.indexOf('-') + 1] ?? ''))
    .flatMap(fields => [fields[4]!, join(fields[4]!, 'nsinit')])
    .flatMap(path => (existsSync(path) ? readdirSync(path).map(entry => join(path, entry)) : []))
    .filter(entry => entry.includes(`/libcontainer-${name}-`) || entry.includes(`/nsinit/${name}`))
}
