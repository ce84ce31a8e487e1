import { restoreTerminals } from '../raw-mode.js'

/** SIGWINCH for `relay`'s `onResize`: calls back until the answer is called. */
export function onWindowChange(changed: () => void): () => void {
  process.on('SIGWINCH', changed)
  return () => void process.off('SIGWINCH', changed)
}

/** What ends a process that does not ask for it: all but faults, and those that Node.js keeps for itself (SIGUSR1, SIGPIPE, SIGPROF). */
const deadly = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGALRM', 'SIGVTALRM', 'SIGUSR2'] as const),
  ...(['SIGXCPU', 'SIGIO', 'SIGPWR', 'SIGSTKFLT'] as const),
]

/**
 * Restores terminals that are in raw mode when this process ends: by `exit`, by an uncaught error, and by the signals that usually end it,
 * which then still do. Nothing can be done about SIGKILL and a crash of the engine itself.
 *
 * @returns a function that undoes it
 */
export function restoreOnExit(): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    restoreTerminals()
    // Ours was the only handler: what the signal would have done without it.
    if (process.listenerCount(signal) === 1) {
      process.off(signal, onSignal)
      process.kill(process.pid, signal)
    }
  }
  process.on('exit', restoreTerminals)
  for (const signal of deadly) process.on(signal, onSignal)
  return () => {
    process.off('exit', restoreTerminals)
    for (const signal of deadly) process.off(signal, onSignal)
  }
}
