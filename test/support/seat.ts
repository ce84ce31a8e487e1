import { type Console, newConsole } from '@libcontainer/console'
import { decodeUtf8, encodeUtf8, POLLIN, poll } from '@libcontainer/sys'
import { type Running, until } from './running.js'

const seats: Seat[] = []

/** Hangs all seats up: after each test. */
export function closeSeats(): void {
  for (const seat of seats.splice(0)) seat.close()
}

/** What makes a program the leader of a session on the terminal that is its standard streams. */
export const onTerminal = ['setsid', '--ctty', '--wait'] as const

/** The same for a shell, which runs the program and then stays: what nobody has read can still be read. */
export const inShell = [...onTerminal, 'sh', '-c', '"$@"; echo ended $?; exec sleep 1000', 'sh'] as const

/** A terminal at which somebody sits, and a program in its foreground, leading its session. */
export class Seat {
  readonly console: Console
  readonly running: Running
  /** All that has been shown so far. */
  shown = ''
  readonly #end = new AbortController()

  private constructor(console: Console, running: Running) {
    this.console = console
    this.running = running
    void this.#read()
  }

  /** @param start - starts the program, by {@link onTerminal}, on the terminal with this number */
  static async open(start: (terminal: number) => Running, size = { rows: 24, columns: 80 }): Promise<Seat> {
    const console = await newConsole(0, 0, { size })
    const seat = new Seat(console, start(console.slave.fd))
    seats.push(seat)
    return seat
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(4096)
    try {
      for (;;) {
        const got = await this.console.read(buffer, { signal: this.#end.signal })
        if (got === 0) return
        this.shown += decodeUtf8(buffer.subarray(0, got))
      }
    } catch (error) {
      if (!this.#end.signal.aborted) throw error
    }
  }

  async type(text: string): Promise<void> {
    await this.console.write(encodeUtf8(text))
  }

  async shows(text: string | RegExp): Promise<void> {
    const ask = (): true | undefined => (this.shown.search(text) >= 0 ? true : undefined)
    await until(`${text} on the terminal`, ask, () => JSON.stringify(this.shown))
  }

  /** Whether a line waits to be read on it: what somebody has typed, or pushed, and no program has taken. */
  async hasInput(): Promise<boolean> {
    const over = AbortSignal.timeout(100)
    try {
      await poll(this.console.slave.fd, POLLIN, { signal: over })
      return true
    } catch (error) {
      if (!over.aborted) throw error
      return false
    }
  }

  close(): void {
    this.#end.abort()
    this.console.close()
  }
}
