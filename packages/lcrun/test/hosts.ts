import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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

export { type Running, until }

const executable = fileURLToPath(new URL('../../../bundles/lcrun', import.meta.url))
const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))

/** A way to run lcrun. */
export interface TestHost {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Of a test that runs containers: a busy machine takes a second for each call on Node.js. */
  readonly needs: ReturnType<typeof requires> & { timeout: number }
  /** Of a test that only asks the command line. */
  readonly asks: ReturnType<typeof requires> & { timeout: number }
}

export const hosts: readonly TestHost[] = [
  {
    name: 'Node.js',
    command: [process.execPath, main],
    needs: { ...requires('root', 'rootfs'), timeout: 60_000 },
    asks: { ...requires(), timeout: 60_000 },
  },
  {
    name: 'the executable',
    command: [executable],
    needs: { ...requires('root', 'rootfs', `file:${executable}`), timeout: 60_000 },
    asks: { ...requires(`file:${executable}`), timeout: 60_000 },
  },
]

const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount'].map(type => ({ type }))
const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

/** A config.json on the busybox root filesystem that runs `args`; `more` replaces whole parts of it. */
export function specOf(
  args: readonly string[],
  more: { process?: object; linux?: object; [part: string]: unknown } = {},
) {
  const { process, linux, ...rest } = more
  return {
    ociVersion: '1.0.2',
    root: { path: busyboxRootfs(), readonly: true },
    hostname: 'bundle',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] },
    ],
    ...rest,
    process: {
      args,
      cwd: '/',
      env: ['PATH=/bin:/usr/bin:/sbin', 'OWN=of the config'],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      ...process,
    },
    linux: { namespaces, ...linux },
  }
}

interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What it gets as standard streams and further descriptors. */
  readonly stdio?: ('pipe' | 'ignore' | number)[]
}

/** A bundle and a state root, both of the test's own. */
export class Bundle implements Disposable {
  readonly #place = temporaryDirectory('lcrun-')
  readonly #children: ChildProcess[] = []
  readonly host: TestHost
  readonly path: string
  readonly stateRoot: string
  /** An id that no other test uses. */
  readonly id: string

  constructor(host: TestHost, spec: unknown = specOf(['/bin/true'])) {
    this.host = host
    this.path = join(this.#place.path, 'bundle')
    this.stateRoot = join(this.#place.path, 'state')
    this.id = basename(this.#place.path)
    mkdirSync(this.path)
    this.write(spec)
  }

  /** Replaces config.json. */
  write(spec: unknown): void {
    writeFileSync(this.file('config.json'), typeof spec === 'string' ? spec : JSON.stringify(spec))
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Runs lcrun to its end; its containers have `--root` of their own unless `args` say another. */
  run(args: readonly string[], { input, env = {}, cwd = this.path, stdio }: RunOptions = {}): Result {
    const [program, ...words] = this.host.command
    const result = spawnSync(program, [...words, '--root', this.stateRoot, ...args], {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout: 20_000,
      killSignal: 'SIGKILL',
      ...(stdio === undefined ? { input: input ?? '' } : { stdio }),
    })
    return outcome(result)
  }

  /** Makes a container without holding its streams: a pipe would stay open as long as it lives. */
  detached(args: readonly string[]): Result {
    const path = join(this.#place.path, 'stderr')
    const file = openSync(path, 'w')
    try {
      const { status } = this.run(args, { stdio: ['ignore', 'ignore', file] })
      return { status, stdout: '', stderr: readFileSync(path, 'utf8') }
    } finally {
      closeSync(file)
    }
  }

  /** Makes and starts a container that sleeps. */
  sleeping(id = this.id): void {
    this.write(specOf(['/bin/sleep', '1000']))
    const { status, stderr } = this.detached(['run', '--detach', id])
    if (status !== 0) throw new Error(`run exited with ${status}: ${stderr}`)
  }

  /** Starts lcrun, and kills it at the end of the test if that is still needed. */
  start(args: readonly string[], { stdio = ['pipe', 'pipe', 'pipe'], env = {} }: RunOptions = {}): Running {
    const [program, ...words] = this.host.command
    const child = spawn(program, [...words, '--root', this.stateRoot, ...args], {
      cwd: this.path,
      stdio,
      env: { ...process.env, ...env },
    })
    this.#children.push(child)
    return new Running(child)
  }

  state(id = this.id): Record<string, unknown> | undefined {
    const { status, stdout } = this.run(['state', id])
    return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined
  }

  async stopped(id = this.id): Promise<void> {
    await until(`the end of ${id}`, () => (this.state(id)?.status === 'stopped' ? true : undefined))
  }

  /** The directories of containers. */
  left(): string[] {
    return existsSync(this.stateRoot) ? readdirSync(this.stateRoot) : []
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    for (const id of this.left()) this.run(['delete', '--force', id])
    this.#place[Symbol.dispose]()
  }
}
