export { onWindowChange, restoreOnExit } from './signals.js'
export { TerminalStream, type TerminalStreamOptions } from './terminal-stream.js'
