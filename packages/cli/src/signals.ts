import { ContainerError, type Process } from '@libcontainer/container'
import { ids, onSignals, openPidfd, signalNumber, signalPidfd } from '@libcontainer/sys'

const SIGWINCH = 28
const SIGSTOP = 19
const SIGTSTP = 20

const names = (
  'HUP INT QUIT ABRT USR1 USR2 ALRM TERM STKFLT CONT TSTP XCPU XFSZ VTALRM PROF WINCH IO PWR ' +
  Array.from({ length: 31 }, (_, i) => `RTMIN${i === 0 ? '' : `+${i}`}`).join(' ')
).split(' ')

/**
 * What is passed on to the program: all but what cannot be caught, what tells of our own faults (SEGV and its like) or children, and what
 * stops us when we touch a terminal that is another's (TTIN, TTOU).
 */
export const forwarded: readonly number[] = names.map(name => signalNumber(name))

export interface Forwarding {
  /** Passes signals on from now on, those that have come before first. */
  to(process: Process, terminal?: { readonly resized: () => void }): void
}

/** Catches signals, for a program that is about to start. */
export function catchSignals(): Forwarding {
  const early: number[] = []
  let deliver = (signal: number): void => void early.push(signal)
  onSignals(forwarded, signal => deliver(signal))
  return {
    to(process, terminal) {
      deliver = signal => {
        if (signal === SIGWINCH) {
          terminal?.resized()
          return
        }
        send(process, signal)
        // What the caller's shell waits for. The program, alone in its session, is not stopped by this signal (its process group is
        // orphaned), and may handle it. In a raw terminal ^Z is a byte, and no signal.
        if (signal === SIGTSTP && terminal === undefined) stopSelf()
      }
      for (const signal of early.splice(0)) deliver(signal)
    },
  }
}

function send(process: Process, signal: number): void {
  try {
    process.signal(signal)
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error
  }
}

function stopSelf(): void {
  const self = openPidfd(ids().pid)
  signalPidfd(self, SIGSTOP)
  self.close()
}
