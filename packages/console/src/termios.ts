import { checked } from '@libcontainer/sys'
import { native } from './native.js'

/* Bits of termios(3) as x86-64 and arm64 have them. */
const IFLAG_COOKED = 0x0001 | 0x0002 | 0x0008 | 0x0020 | 0x0040 | 0x0080 | 0x0100 | 0x0400 // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
const OPOST = 0x0001
const CSIZE = 0x0030
const PARENB = 0x0100
const CS8 = 0x0030
const LFLAG_COOKED = 0x0001 | 0x0002 | 0x0008 | 0x0040 | 0x8000 // ISIG ICANON ECHO ECHONL IEXTEN
const VEOF = 4
const VTIME = 5
const VMIN = 6

/** The modes of a terminal: struct termios2, as the kernel keeps it. */
export interface Termios {
  readonly iflag: number
  readonly oflag: number
  readonly cflag: number
  readonly lflag: number
  readonly line: number
  /** Special characters, by their index: VEOF is 4, VTIME 5, VMIN 6. */
  readonly cc: readonly number[]
  /** Bits a second. */
  readonly ispeed: number
  readonly ospeed: number
}

const CC_AT = 17
const CC_SIZE = 19
const SIZE = 44

export function decodeTermios(bytes: Uint8Array): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIZE)
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: bytes[16]!,
    cc: [...bytes.subarray(CC_AT, CC_AT + CC_SIZE)],
    ispeed: view.getUint32(36, true),
    ospeed: view.getUint32(40, true),
  }
}

/** As the kernel has it: 44 bytes, the same on x86-64 and arm64. */
export function encodeTermios(termios: Termios): Uint8Array {
  const bytes = new Uint8Array(SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, termios.iflag, true)
  view.setUint32(4, termios.oflag, true)
  view.setUint32(8, termios.cflag, true)
  view.setUint32(12, termios.lflag, true)
  bytes[16] = termios.line
  bytes.set(termios.cc, CC_AT)
  view.setUint32(36, termios.ispeed, true)
  view.setUint32(40, termios.ospeed, true)
  return bytes
}

/** The modes of a terminal, by either end. @throws {SyscallError} `ENOTTY` for no terminal */
export function getTermios(fd: number): Termios {
  const bytes = new Uint8Array(SIZE)
  checked(native.sync.getTermios(fd, bytes), 'ioctl(TCGETS2)')
  return decodeTermios(bytes)
}

/** Sets the modes of a terminal, by either end, at once. */
export function setTermios(fd: number, termios: Termios): void {
  checked(native.sync.setTermios(fd, 0, encodeTermios(termios)), 'ioctl(TCSETS2)')
}

/** Whether a descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  return native.sync.getTermios(fd, new Uint8Array(SIZE)) === 0
}

export interface RawOptions {
  /** Leaves the output as it is, so that a newline still returns to the first column. Default: `false`, as cfmakeraw(3). */
  keepOutput?: boolean | undefined
}

/** Modes in which every key is a byte and nothing is echoed: what cfmakeraw(3) makes. Pure. */
export function rawTermios(termios: Termios, { keepOutput = false }: RawOptions = {}): Termios {
  const cc = [...termios.cc]
  cc[VMIN] = 1
  cc[VTIME] = 0
  return {
    ...termios,
    iflag: termios.iflag & ~IFLAG_COOKED,
    oflag: keepOutput ? termios.oflag : termios.oflag & ~OPOST,
    cflag: (termios.cflag & ~(CSIZE | PARENB)) | CS8,
    lflag: termios.lflag & ~LFLAG_COOKED,
    cc,
  }
}

/**
 * Clears ONLCR, so that a newline of a program stays one byte: a new pty turns it into two, and a terminal that shows them adds its own.
 */
export function clearOnlcr(fd: number): void {
  checked(native.sync.clearOnlcr(fd), 'ioctl(TCSETS2)')
}

/** The byte that ends the input of a terminal: `^D` unless somebody chose another; `undefined` where it is switched off. */
export function endOfInput(fd: number): number | undefined {
  return getTermios(fd).cc[VEOF] || undefined
}
