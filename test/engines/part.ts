import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cgroupsNamed, quoted, until } from '../support/index.js'
import { processes } from './machine.js'

export { until }

/** The runtime that is tested; test-engines names another one to compare with. */
export const tested =
  process.env.LIBCONTAINER_ENGINES_RUNTIME ?? fileURLToPath(new URL('../../bundles/lcrun', import.meta.url))

/** Debian's own programs, whatever else is installed. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

export interface Answer {
  status: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string
  env?: NodeJS.ProcessEnv
  /** Milliseconds until it is killed. Default: 40 seconds. */
  timeout?: number
}

export interface PartOptions {
  /** The cgroups, by their names at the top of each hierarchy, that the engine makes for itself and leaves there. */
  cgroups: readonly string[]
  /** Paths of cgroups below them that it leaves, too. Default: none. */
  stays?: RegExp
}

/**
 * One engine's part: a directory, what it runs, what the engine asked of the runtime meanwhile, and what must be gone at its end.
 *
 * The engine is given a script for its runtime, which writes down how it was called and becomes the one that is tested.
 */
export class Part {
  readonly path: string
  readonly runtime: string
  readonly #name: string
  readonly #own: (cgroup: string) => boolean
  readonly #mayStay: (cgroup: string) => boolean
  readonly #processes = new Set(processes().map(({ pid }) => pid))
  readonly #cgroupsBefore = new Set(cgroupsNamed(/./))
  readonly #daemons: ChildProcess[] = []
  readonly #started = Date.now()
  #commands = 0

  constructor(name: string, { cgroups, stays = /(?!)/ }: PartOptions) {
    const machine = process.env.ENGINES_MACHINE
    if (machine === undefined) throw new Error('engines need a machine of their own: npm run test:engines')
    if (!existsSync(tested)) throw new Error(`${tested} does not exist: npm run binary`)
    this.#name = name
    const tops = cgroups.map(cgroup => `/${cgroup}`)
    // Those of others come and go meanwhile.
    this.#own = path => /\/(libpod|buildah)-[^/]*$/.test(path) || tops.some(top => `${path}/`.includes(`${top}/`))
    this.#mayStay = path => tops.some(top => path.endsWith(top) || path.endsWith(`${top}/conmon`)) || stays.test(path)
    this.path = join(machine, name)
    mkdirSync(this.path)
    this.runtime = join(this.path, 'lcrun')
    writeFileSync(this.#record, '')
    // An ordinary user's engine writes to it, too.
    chmodSync(this.#record, 0o666)
    // In one write: engines call it from several processes at once.
    writeFileSync(this.runtime, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${this.#record}\nexec ${tested} "$@"\n`, {
      mode: 0o755,
    })
  }

  get #record(): string {
    return join(this.path, 'calls')
  }

  /** How the engine called the runtime so far: one line a call, the arguments with blanks between them. */
  calls(command?: string): string[] {
    const lines = readFileSync(this.#record, 'utf8').split('\n').filter(Boolean)
    return command === undefined ? lines : lines.filter(line => asked(line) === command)
  }

  /** Runs a program to its end. */
  try(command: readonly string[], { input = '', env, timeout = 40_000 }: RunOptions = {}): Answer {
    this.#commands++
    const { status, stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), {
      // conmon leaves a file where it was started.
      cwd: this.path,
      input,
      env: { ...process.env, PATH, ...env },
      encoding: 'utf8',
      timeout,
      killSignal: 'SIGKILL',
    })
    if (error) throw new Error(`${command.join(' ')}: ${error.message}\n${stdout}${stderr}`)
    return { status, stdout, stderr }
  }

  /** The same for one that must succeed: what it wrote, without the blanks around it. */
  run(command: readonly string[], options: RunOptions = {}): string {
    const { status, stdout, stderr } = this.try(command, options)
    if (status !== 0) throw new Error(`${command.join(' ')}: exit code ${status}\n${stdout}${stderr}`)
    return stdout.trim()
  }

  /** Runs a program to its end on a terminal of its own: what it showed there. */
  onTerminal(command: readonly string[], options: RunOptions = {}): Answer {
    const words = command.map(quoted).join(' ')
    const answer = this.try(['script', '-E', 'never', '-qec', words, '/dev/null'], options)
    // script types its end of input, which a terminal in raw mode shows.
    return { ...answer, stdout: answer.stdout.replaceAll('\r', '').replaceAll(/\^@|\^D[\b]*|\0/g, '') }
  }

  /** Starts a program that stays, which writes to NAME.log in the directory of this part. */
  daemon(name: string, command: readonly string[]): ChildProcess {
    const log = openSync(join(this.path, `${name}.log`), 'a')
    const child = spawn(command[0]!, command.slice(1), {
      cwd: this.path,
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH },
    })
    closeSync(log)
    this.#daemons.push(child)
    return child
  }

  /** What a daemon wrote of late. */
  log(name: string): string {
    return readFileSync(join(this.path, `${name}.log`), 'utf8').slice(-3000)
  }

  /** Ends a daemon, by SIGKILL where it does not go within ten seconds. */
  async stop(daemon: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return
    const gone = new Promise(resolve => daemon.once('exit', resolve))
    daemon.kill(signal)
    const timer = setTimeout(() => daemon.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(timer)
  }

  /** Stops the daemons, the last one first; prints what this part did; answers what is left of it that should not be. */
  async end(version: string): Promise<string[]> {
    for (const daemon of this.#daemons.reverse()) await this.stop(daemon)
    const left = await this.#left()
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1)
    process.stdout.write(
      `${this.#name}: ${version}, ${this.#commands} commands in ${seconds} s; the runtime was asked for ${counted(this.calls().map(asked))}\n`,
    )
    return left
  }

  /** A container's monitor and its cgroup take a moment to go. */
  async #left(): Promise<string[]> {
    let found = this.#found()
    for (const end = Date.now() + 5000; found.length > 0 && Date.now() < end; found = this.#found()) await sleep(100)
    for (const { pid } of processes().filter(({ pid }) => !this.#processes.has(pid))) kill(pid)
    if (found.length > 0) await sleep(500)
    this.#removeCgroups()
    return found
  }

  #found(): string[] {
    const cgroups = cgroupsNamed(/./).filter(
      path => this.#own(path) && !this.#cgroupsBefore.has(path) && !this.#mayStay(path),
    )
    const states = ['/run/lcrun', '/run/runc', '/run/crun'].flatMap(path =>
      existsSync(path) ? readdirSync(path).map(name => `${path}/${name}`) : [],
    )
    return [
      ...processes()
        .filter(({ pid, state }) => !this.#processes.has(pid) && state !== 'Z')
        .map(({ pid, command }) => `process ${pid}: ${command}`),
      ...cgroups.map(path => `cgroup ${path}`),
      ...states.map(path => `state ${path}`),
    ]
  }

  #removeCgroups(): void {
    for (const path of cgroupsNamed(/./).reverse()) {
      if (this.#cgroupsBefore.has(path) || !this.#own(path)) continue
      try {
        rmdirSync(path)
      } catch (error) {
        process.stderr.write(`${path} stays: ${(error as Error).message}
`)
      }
    }
  }
}

const COMMANDS = new Set(
  'create start run exec kill delete state list ps pause resume events update spec features checkpoint restore init'.split(
    ' ',
  ),
)

/** The command of a call, which comes after the global flags. */
function asked(call: string): string {
  const words = call.split(' ')
  return words.find(word => COMMANDS.has(word)) ?? words.find(word => word.startsWith('-')) ?? call
}

/** `create 3, start 2`. */
function counted(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${word} ${count}`).join(', ') || 'nothing'
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went by itself.
  }
}

export const lines = (text: string): string[] => text.split('\n').filter(Boolean)
