import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type DumpOptions,
  dump,
  type RestoreOptions,
  type RestoreResult,
  type RunOptions,
  restore,
} from '@libcontainer/criu'
import { type AddressRange, type ExitStatus, waitExit } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { alive, type TemporaryDirectory, temporaryDirectory, until } from '../../../test/support/index.js'
import { hugeRanges } from '../src/huge-pages.js'

/** Compiles tree.c. @returns its path */
export function compileTree(directory: string): string {
  const program = join(directory, 'tree')
  const source = fileURLToPath(new URL('tree.c', import.meta.url))
  execFileSync('gcc', ['-x', 'c', '-O1', '-Wall', '-o', program, '-'], {
    input: readFileSync(source),
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  return program
}

export interface TreeStart {
  readonly mib?: number
  readonly port?: number
  /** Words of a program that executes it. */
  readonly before?: readonly string[]
}

/** Which parts of a process's memory are in huge pages. */
export const hugeRangesOf = (pid: number): AddressRange[] => hugeRanges(readFileSync(`/proc/${pid}/smaps`, 'utf8'))

/** The tree of tree.c, in a directory of its own, which stays the same tree when it is restored. */
export class Tree {
  readonly directory: string
  /** Of its first process. */
  pid: number
  readonly #child: ChildProcess

  private constructor(directory: string, child: ChildProcess) {
    this.directory = directory
    this.#child = child
    this.pid = child.pid!
  }

  static async start(
    program: string,
    directory: string,
    { mib = 1, port, before = [] }: TreeStart = {},
  ): Promise<Tree> {
    writeFileSync(
      join(directory, 'in'),
      Array.from({ length: 20_000 }, (_, i) => `${i + 1}`.padStart(7, '0')).join('\n'),
    )
    const [first, ...words] = [...before, program, directory, `${mib}`, ...(port === undefined ? [] : [`${port}`])]
    const tree = new Tree(directory, spawn(first!, words, { detached: true, stdio: 'ignore' }))
    await tree.goesOn()
    return tree
  }

  /** How often it has counted. @throws where anything was not as it should be */
  get count(): number {
    const lines = readFileSync(join(this.directory, 'out'), 'utf8').split('\n').slice(0, -1)
    const wrong = lines.findIndex((line, i) => line !== `${i + 1} ok`)
    if (wrong >= 0) throw new Error(`line ${wrong + 1} of the tree: ${lines[wrong]}`)
    return lines.length
  }

  /** Waits until it has counted on, by some rounds. */
  async goesOn(): Promise<void> {
    const before = this.#started() ? this.count : 0
    await until('the tree counts on', () => this.#started() && this.count >= before + 3)
  }

  #started(): boolean {
    try {
      return readFileSync(join(this.directory, 'out'), 'utf8') !== ''
    } catch {
      return false
    }
  }

  /** It has been restored. Its first process is our child, whose pid is free again when we have waited for it. */
  take({ pid, pidfd }: RestoreResult): Promise<ExitStatus> {
    this.pid = pid
    return waitExit(pidfd, { weak: true }).finally(() => pidfd.close())
  }

  /** The pids of all its processes. */
  get pids(): number[] {
    const all = [this.pid]
    for (const pid of all) {
      try {
        const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        all.push(...children.split(' ').filter(Boolean).map(Number))
      } catch {}
    }
    return all
  }

  /** Ends all of it. */
  kill(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}
    }
    this.#child.removeAllListeners()
  }
}

/** The tree ends with a dump, and goes on with a restore. */
export async function again(tree: Tree, options: Omit<DumpOptions, 'pid'> & RestoreOptions, run: RunOptions = {}) {
  const dumped = await dump({ pid: tree.pid, ...options }, run)
  const gone = tree.pids.filter(alive)
  const before = tree.count
  const { imagesDir, tcpEstablished, shellJob, fileLocks, networkLock, emptyNs } = options
  const restored = await restore({ imagesDir, tcpEstablished, shellJob, fileLocks, networkLock, emptyNs }, run)
  return { dumped, restored: { stats: restored.stats, ended: tree.take(restored) }, before, gone }
}

/** A grove that lasts as long as a test file, cleared after each of its tests. */
export function groveOf(needs: { readonly skip?: boolean | undefined }): Grove {
  const grove = new Grove()
  beforeAll(() => needs.skip || grove.open())
  afterEach(() => grove.clear())
  afterAll(() => grove.close())
  return grove
}

/** Where trees of a test file grow, each in a directory of its own. */
export class Grove {
  #place: TemporaryDirectory | undefined
  #program = ''
  #count = 0
  readonly #trees: Tree[] = []

  open(): void {
    this.#place = temporaryDirectory('criu-')
    this.#program = compileTree(this.#place.path)
  }

  directory(): string {
    const directory = join(this.#place!.path, `${++this.#count}`)
    mkdirSync(directory)
    return directory
  }

  async start(options: TreeStart = {}): Promise<{ tree: Tree; directory: string; imagesDir: string }> {
    const directory = this.directory()
    const tree = await Tree.start(this.#program, directory, options)
    this.#trees.push(tree)
    return { tree, directory, imagesDir: join(directory, 'images') }
  }

  clear(): void {
    for (const tree of this.#trees.splice(0)) tree.kill()
  }

  close(): void {
    this.#place?.[Symbol.dispose]()
  }
}
