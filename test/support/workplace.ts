import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestHost } from './hosts.js'
import { outcome, type Result, Running } from './running.js'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js'

export interface CommandOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What it gets as standard streams and further descriptors. */
  readonly stdio?: ('pipe' | 'ignore' | number)[]
}

/** Where a command line is used: a directory to be in and a state root, both of the test's own. */
export abstract class Workplace implements Disposable {
  readonly #place: TemporaryDirectory
  readonly #children: ChildProcess[] = []
  readonly host: TestHost
  /** A directory of files that no container sees. */
  readonly outside: string
  /** A name that no other test uses: of ids, cgroups and the directory. */
  readonly id: string
  readonly path: string
  readonly stateRoot: string

  constructor(host: TestHost, program: string) {
    this.host = host
    this.#place = temporaryDirectory(`${program}-`)
    this.outside = this.#place.path
    this.id = basename(this.outside)
    this.path = join(this.outside, this.id)
    this.stateRoot = join(this.outside, 'state')
    mkdirSync(this.path)
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** The words of a shell: containers have the state root of this place unless `args` say another. */
  command(args: readonly string[]): [string, ...string[]] {
    const [program, ...words] = this.host.command
    return [program, ...words, '--root', this.stateRoot, ...args]
  }

  /** Runs it to its end. */
  run(args: readonly string[], { input, env = {}, cwd = this.path, stdio }: CommandOptions = {}): Result {
    const [program, ...words] = this.command(args)
    const result = spawnSync(program, words, {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
      ...(stdio === undefined ? { input: input ?? '' } : { stdio }),
    })
    return outcome(result)
  }

  /**
   * Starts it, and kills it at the end of the test if that is still needed.
   *
   * @param options - `before`: the words of a program that runs it
   */
  start(
    args: readonly string[],
    options: { before?: readonly string[]; stdio?: SpawnOptions['stdio']; cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Running {
    const { before = [], stdio = 'pipe', cwd = this.path, env = {} } = options
    const [program, ...words] = [...before, ...this.command(args)]
    const child = spawn(program!, words, { cwd, stdio, env: { ...process.env, ...env } })
    this.#children.push(child)
    return new Running(child)
  }

  /** The names in the state root. */
  states(): string[] {
    return existsSync(this.stateRoot) ? readdirSync(this.stateRoot) : []
  }

  /** Ends what a test that failed has left. */
  protected abstract clean(): void

  [Symbol.dispose](): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    this.clean()
    this.#place[Symbol.dispose]()
  }
}
