import { ConfigInvalid, checked } from '@libcontainer/sys'
import { native } from './native.js'

/** A terminal's size in characters, and where it is known in pixels. */
export interface WindowSize {
  readonly rows: number
  readonly columns: number
  readonly xpixel?: number | undefined
  readonly ypixel?: number | undefined
}

/** Refuses a size that does not fit the kernel's 16-bit fields. */
export function checkWindowSize(size: WindowSize, field: string): void {
  const { rows, columns, xpixel = 0, ypixel = 0 } = size
  for (const [name, value] of Object.entries({ rows, columns, xpixel, ypixel })) {
    if (!Number.isInteger(value) || value < 0 || value > 65535) {
      throw new ConfigInvalid(`${field}.${name}`, value, 'must be an integer from 0 to 65535')
    }
  }
}

/** The size of a terminal, by either end: TIOCGWINSZ of ioctl_tty(2). @throws {SyscallError} `ENOTTY` for no terminal */
export function getWindowSize(fd: number): Required<WindowSize> {
  const result = new Uint16Array(4)
  checked(native.sync.getWindowSize(fd, new Uint8Array(result.buffer)), 'ioctl(TIOCGWINSZ)')
  const [rows, columns, xpixel, ypixel] = result as unknown as [number, number, number, number]
  return { rows, columns, xpixel, ypixel }
}

/** Sets the size of a terminal, by either end; its foreground processes get SIGWINCH when that changes it. */
export function setWindowSize(fd: number, size: WindowSize): void {
  checkWindowSize(size, 'size')
  const { rows, columns, xpixel = 0, ypixel = 0 } = size
  checked(native.sync.setWindowSize(fd, rows, columns, xpixel, ypixel), 'ioctl(TIOCSWINSZ)')
}

/** Gives one terminal the size of another. */
export function copyWindowSize(from: number, to: number): void {
  setWindowSize(to, getWindowSize(from))
}
