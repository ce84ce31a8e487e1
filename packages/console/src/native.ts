import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. */
interface ConsoleOps {
  openConsole(root: number): number
  openConsolePeer(master: number): number
  openConsolePeerByName(root: number, master: number): number
  openPty(): number
  ptyNumber(master: number): number
  openTerminal(path: string): number
  bindConsole(root: number, slave: number): number
  setWindowSize(fd: number, rows: number, columns: number, xpixel: number, ypixel: number): number
  getWindowSize(fd: number, result: Uint8Array): number
  getTermios(fd: number, result: Uint8Array): number
  setTermios(fd: number, when: number, termios: Uint8Array): number
  clearOnlcr(fd: number): number
  setTerminalOwner(fd: number, uid: number): number
  secureTerminal(fd: number, mode: number, uid: number, gid: number): number
  readTerminal(fd: number, buffer: Uint8Array): number
  writeTerminal(fd: number, bytes: Uint8Array): number
  neverWait(fd: number): number
  useTerminal(slave: number): number
  useStandardStreams(fd: number): number
}

export const native = binding<ConsoleOps>('console', import.meta.url)
