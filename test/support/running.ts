import type { ChildProcess, SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What tests look at of a program that has ended. */
export const outcome = ({ status, stdout, stderr }: SpawnSyncReturns<string>): Result => ({ status, stdout, stderr })

/** A program that runs. */
export class Running {
  readonly child: ChildProcess
  readonly #ended: Promise<unknown>
  stdout = ''
  stderr = ''

  constructor(child: ChildProcess) {
    this.child = child
    this.#ended = once(child, 'close')
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  /** What it exited with; a signal by its name. */
  async ended(): Promise<number | string> {
    const limit = new AbortController()
    await Promise.race([
      this.#ended,
      sleep(30_000, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`it has not ended; it wrote: ${this.stdout}${this.stderr}`)
      }),
    ])
    limit.abort()
    return this.child.exitCode ?? this.child.signalCode!
  }

  /** Ends it at once; what it has left may hold its streams open. */
  async killed(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }

  async wrote(text: string | RegExp): Promise<void> {
    await until(
      `${text} in the output`,
      () => ((typeof text === 'string' ? this.stdout.includes(text) : text.test(this.stdout)) ? true : undefined),
      () => this.stdout + this.stderr,
    )
  }
}

/** Asks until there is an answer other than `undefined` and `false`; where there is none in time, tells `detail`, too. */
export async function until<T>(
  what: string,
  ask: () => T | false | undefined | Promise<T | false | undefined>,
  detail = (): string => '',
  patience = 25_000,
): Promise<T> {
  for (const end = Date.now() + patience; ; await sleep(20)) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`not within ${patience} ms: ${what}\n${detail()}`)
  }
}

/** Whether there is such a process that has not ended; nobody may have reaped it yet. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** A word as a shell takes it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** A script of a shell, as configs name the program of a hook. */
export const shellCommand = <More extends object>(script: string, more?: More) => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  ...(more as More),
})
