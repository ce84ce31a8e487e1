import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { encodePlan, type Step } from '@libcontainer/sys'
import { facilitySources } from '../../../scripts/build-init.mjs'

export interface DriverRun {
  /** Slots that hold descriptors of the new process. */
  slots?: Record<string, number>
  /** What to execute after the last step. Default: nothing, status 0. */
  argv?: string[]
  /** A program and its first arguments that execute the driver, such as `unshare`. */
  wrapper?: string[]
  stdio?: StdioOptions
  uid?: number
  gid?: number
}

export interface DriverResult {
  code: number | null
  stdout: string
  stderr: string
}

/** A program that applies plans with the ops of some packages: see driver.c. Removed by `close`. */
export class Driver {
  readonly #names: readonly string[]
  #directory: string | undefined
  #plans = 0

  /** @param names - the packages whose ops it has */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** Compiles it at the first call. */
  #compiled(): string {
    if (this.#directory !== undefined) return this.#directory
    const directory = mkdtempSync(join(tmpdir(), 'libcontainer-driver-'))
    this.#directory = directory
    const tables = this.#names.map(name => `lc_${name}_ops`)
    // Labels are any facility's, as in init.
    const label = fileURLToPath(new URL('../native/label.c', import.meta.url))
    const sources = [label, ...this.#names.flatMap(name => facilitySources(name) as string[])]
    const defines = [`-DTABLES=${tables}`, `-DDECLARE=${tables.map(table => `${table}[]`)}`]
    const source = fileURLToPath(new URL('driver.c', import.meta.url))
    // A test may run it as another user.
    chmodSync(directory, 0o755)
    execFileSync('gcc', [
      '-std=gnu11',
      '-D_GNU_SOURCE',
      '-O1',
      '-o',
      join(directory, 'driver'),
      ...defines,
      source,
      ...new Set(sources),
    ])
    return directory
  }

  start(
    steps: readonly Step[],
    { slots = {}, argv = [], wrapper = [], stdio = 'pipe', ...user }: DriverRun = {},
  ): ChildProcess {
    const directory = this.#compiled()
    const plan = encodePlan(steps, { slots: Object.keys(slots) })
    const path = join(directory, `plan-${this.#plans++}`)
    writeFileSync(path, plan.bytes)
    const filled = Object.entries(slots).map(([name, fd]) => `${plan.slots.get(name)}=${fd}`)
    const [program, ...args] = [...wrapper, join(directory, 'driver'), path, ...filled, '--', ...argv]
    return spawn(program!, args, { stdio, ...user })
  }

  async run(steps: readonly Step[], options: DriverRun = {}): Promise<DriverResult> {
    const child = this.start(steps, options)
    const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject))
    child.stdin?.end()
    const [stdout, stderr, code] = await Promise.all([
      child.stdout ? text(child.stdout) : '',
      child.stderr ? text(child.stderr) : '',
      ended,
    ])
    return { code, stdout, stderr }
  }

  close(): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }
}
