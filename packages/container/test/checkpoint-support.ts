import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, ContainerConfig, Process, RestoreOptions } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { expect } from 'vitest'
import { type TemporaryDirectory, temporaryDirectory, until } from '../../../test/support/index.js'
import { Bench, ownRootfs, sh } from './support.js'

/** Without a network of their own, which takes CRIU some seconds in an emulator. */
export const quick = ['mnt', 'pid', 'ipc', 'uts', 'cgroup'] as const
const usual = defaultMounts.filter(({ type }) => type !== 'mqueue')
const tmp = { destination: '/tmp', type: 'tmpfs' }

/** Counts in memory, to its output and to a file that it has open. */
export const counter = sh('exec 3>/tmp/count; i=0; while :; do i=$((i+1)); echo $i; echo $i >&3; sleep 0.05; done', {
  stdio: ['null', 'pipe', 'null'],
})

/** Containers of one root filesystem, and their images. */
export class CheckpointBench implements AsyncDisposable {
  readonly bench: Bench
  readonly place: TemporaryDirectory
  readonly rootfs: TemporaryDirectory
  #images = 0

  private constructor(bench: Bench) {
    this.bench = bench
    this.place = temporaryDirectory('images-')
    this.rootfs = ownRootfs()
  }

  static async open(name: string): Promise<CheckpointBench> {
    return new CheckpointBench(await Bench.open(name))
  }

  /** A new one each time; it is not there yet. */
  imagesDir(): string {
    return `${this.place.path}/${++this.#images}`
  }

  /** One of the usual mounts, and those of `more`. */
  async create(more: Partial<ContainerConfig> = {}): Promise<Container> {
    const mounts = [...usual, tmp, ...(more.mounts ?? [])]
    return await this.bench.create({ rootfs: this.rootfs.path, namespaces: quick, ...more, mounts })
  }

  /** Without a tmpfs but /dev, and with those of `more`: CRIU starts a `tar` for each, at the dump and at the restore, of half a second in an emulator. */
  async lean({ mounts = [], ...more }: Partial<ContainerConfig> = {}): Promise<Container> {
    const all = [...usual.filter(({ destination }) => destination === '/proc' || destination === '/dev'), ...mounts]
    return await this.bench.create({
      rootfs: this.rootfs.path,
      namespaces: quick,
      maskedPaths: [],
      ...more,
      mounts: all,
    })
  }

  /** Puts `held` of held.c into the root filesystem. @returns where it is on the host */
  held(): string {
    const program = join(this.rootfs.path, 'bin/held')
    const source = readFileSync(join(import.meta.dirname, 'held.c'))
    execFileSync('gcc', ['-static', '-O1', '-x', 'c', '-o', program, '-'], { input: source })
    return program
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]()
    for (const directory of [this.place, this.rootfs]) directory[Symbol.dispose]()
  }
}

/** What `held` says of what it holds, in words of held.c. */
export const holding = (...words: string[]) => ({
  args: ['/bin/held', ...words],
  stdio: ['null', 'pipe', 'null'] as ['null', 'pipe', 'null'],
})

/** What a counter has said. */
export class Count {
  readonly lines: string[] = []
  #rest = ''

  constructor({ stdout }: Pick<Process, 'stdout'> | ChildProcess) {
    void (async () => {
      for await (const chunk of stdout as AsyncIterable<Uint8Array>) {
        const lines = (this.#rest + Buffer.from(chunk).toString()).split('\n')
        this.#rest = lines.pop()!
        this.lines.push(...lines)
      }
    })()
  }

  get numbers(): number[] {
    return this.lines.map(Number)
  }

  /** Waits until it has gone on; what it says has no gap. */
  async goesOn(): Promise<void> {
    const seen = this.lines.length
    await until('the counter goes on', () => this.lines.length > seen + 2)
    const first = Number(this.lines[0])
    expect(this.lines).toEqual(this.lines.map((_, i) => `${first + i}`))
  }
}

/** A `held hear` of the host's, at a path: what it hears. */
export function hearing(program: string, path: string): { count: Count } & Disposable {
  const child = spawn(program, ['hear', path], { stdio: ['ignore', 'pipe', 'ignore'] })
  return { count: new Count(child), [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

export async function restored(
  container: Container,
  options: RestoreOptions,
): Promise<{ init: Process; count: Count }> {
  const init = await container.restore({ stdio: ['null', 'pipe', 'null'] }, options)
  return { init, count: new Count(init) }
}

/** What a checkpoint or a restore has left on the host. */
export const leftBehind = (): string[] => [
  ...readdirSync('/run').filter(name => name.startsWith('libcontainer-criu-')),
  ...readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes('libcontainer-criu-') || line.includes('.criu.')),
]
