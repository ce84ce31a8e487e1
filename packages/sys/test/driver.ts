import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { encodePlan, type Step } from '@libcontainer/sys'

const packages = fileURLToPath(new URL('../../', import.meta.url))

export interface DriverRun {
  /** Slots that hold descriptors of the new process. */
  slots?: Record<string, number>
  /** What to execute after the last step. Default: nothing, status 0. */
  argv?: string[]
  stdio?: StdioOptions
  uid?: number
  gid?: number
}

export interface DriverResult {
  code: number | null
  stdout: string
  stderr: string
}

/** A program that applies plans with the ops of some packages: see driver.c. Compiled for one test file, removed by `close`. */
export class Driver {
  readonly #directory = mkdtempSync(join(tmpdir(), 'libcontainer-driver-'))
  readonly program = join(this.#directory, 'driver')
  #plans = 0

  constructor(names: string[]) {
    const tables = names.map(name => `lc_${name}_ops`)
    const sys = ['apply', 'path', 'procfs'].map(file => join(packages, 'sys/native', `${file}.c`))
    const ops = names.map(name => join(packages, name, 'native/ops.c'))
    const defines = [`-DTABLES=${tables}`, `-DDECLARE=${tables.map(table => `${table}[]`)}`]
    const source = fileURLToPath(new URL('driver.c', import.meta.url))
    // chmod: a test may run it as another user.
    execFileSync('chmod', ['755', this.#directory])
    execFileSync('gcc', ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-o', this.program, ...defines, source, ...sys, ...ops])
  }

  start(steps: readonly Step[], { slots = {}, argv = [], stdio = 'pipe', ...user }: DriverRun = {}): ChildProcess {
    const plan = encodePlan(steps, { slots: Object.keys(slots) })
    const path = join(this.#directory, `plan-${this.#plans++}`)
    writeFileSync(path, plan.bytes)
    const filled = Object.entries(slots).map(([name, fd]) => `${plan.slots.get(name)}=${fd}`)
    return spawn(this.program, [path, ...filled, '--', ...argv], { stdio, ...user })
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
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
