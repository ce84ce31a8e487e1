import { native } from './native.js'
import { encodeTermios, getTermios, type RawOptions, rawTermios, setTermios } from './termios.js'

/** A terminal in raw mode, until it is restored. */
export interface RawMode {
  /** Gives the terminal back the modes it had; a second call does nothing. */
  restore(): void
  [Symbol.dispose](): void
}

const active = new Set<RawMode>()

/**
 * Puts a terminal into raw mode: every key is a byte, `^C` too.
 *
 * Restore it on every way out, or the user's shell is left with it: `try … finally`, and {@link restoreTerminals} where a process ends
 * without.
 *
 * @throws {SyscallError} `ENOTTY` for no terminal
 */
export function setRawMode(fd: number, options: RawOptions = {}): RawMode {
  const before = getTermios(fd)
  const bytes = encodeTermios(before)
  setTermios(fd, rawTermios(before, options))
  const mode: RawMode = {
    restore() {
      if (!active.delete(mode)) return
      // A terminal that is gone by now (EIO, EBADF) needs no restoring.
      native.sync.setTermios(fd, 0, bytes)
    },
    [Symbol.dispose]: () => mode.restore(),
  }
  active.add(mode)
  return mode
}

/** Restores every terminal that is in raw mode: for whoever ends the process, in its last moment or from a signal's handler. */
export function restoreTerminals(): void {
  for (const mode of [...active].reverse()) mode.restore()
}
