import { writeSync } from 'node:fs'

/** The other screen, without a cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

const CTRL_C = '\x03'
const CTRL_Z = '\x1a'

/** A terminal of which all is drawn anew each time. It is as it was on every way out but SIGKILL. */
export class Screen implements Disposable {
  readonly #onKey: (key: string) => void
  readonly #undo: (() => void)[] = []
  #entered = false

  /** @param onKey - gets each key, and `resize` and `resume` when all is to be drawn again */
  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey
    const on = (emitter: NodeJS.EventEmitter, event: string, listener: (...args: never[]) => void): void => {
      emitter.on(event, listener as (...args: unknown[]) => void)
      this.#undo.push(() => void emitter.off(event, listener as (...args: unknown[]) => void))
    }
    on(process, 'exit', () => this.#leave())
    // Before its message is written, which would go with the other screen.
    on(process, 'uncaughtExceptionMonitor', () => this.#leave())
    on(process, 'SIGCONT', () => this.#resume())
    on(process, 'SIGTSTP', () => this.#stop())
    on(process.stdout, 'resize', () => onKey('resize'))
    on(process.stdin, 'data', (data: Buffer) => this.#keys(data.toString('latin1')))
    this.#enter()
  }

  get size(): { width: number; height: number } {
    return { width: process.stdout.columns || 80, height: process.stdout.rows || 24 }
  }

  draw(lines: readonly string[]): void {
    if (!this.#entered) return
    write(`${HOME}${lines.map(line => line + CLEAR_LINE).join('\r\n')}${CLEAR_BELOW}`)
  }

  #enter(): void {
    if (process.stdin.isTTY) process.stdin.setRawMode(true)
    process.stdin.resume()
    write(ENTER, PATIENCE)
    this.#entered = true
  }

  #leave(): void {
    if (!this.#entered) return
    this.#entered = false
    write(LEAVE, PATIENCE)
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    process.stdin.pause()
  }

  #stop(): void {
    this.#leave()
    process.kill(process.pid, 'SIGSTOP')
  }

  #resume(): void {
    this.#leave()
    this.#enter()
    this.#onKey('resume')
  }

  #keys(text: string): void {
    // What begins with Escape is one key: an arrow, for one.
    if (text.startsWith('\x1b')) return
    for (const key of text) {
      if (key === CTRL_Z) process.kill(process.pid, 'SIGTSTP')
      else this.#onKey(key === CTRL_C ? 'q' : key)
    }
  }

  [Symbol.dispose](): void {
    this.#leave()
    for (const undo of this.#undo) undo()
  }
}

/**
 * At once, since what leaves the screen may be the last that this process does.
 *
 * @param patience - how often to wait for {@link PAUSE_MS} until a terminal that is slow takes the rest. Default: never, since the next picture has it all
 */
function write(text: string, patience = 0): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(process.stdout.fd, bytes, at)
    } catch (error) {
      // A terminal that is gone shows nothing.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAGAIN' && code !== 'EIO' && code !== 'EPIPE') throw error
      if (code !== 'EAGAIN' || patience-- === 0) return
      Atomics.wait(never, 0, 0, PAUSE_MS)
    }
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))
const PAUSE_MS = 20
/** A second: one that was stopped by Ctrl-S may never take it. */
const PATIENCE = 50
