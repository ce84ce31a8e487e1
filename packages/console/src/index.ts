export {
  ConsoleSocket,
  connectConsoleSocket,
  type ReceivedTerminal,
  receiveTerminal,
  sendTerminal,
} from './console-socket.js'
export { features } from './features.js'
export { type ConsoleLog, FileLog, MemoryLog, readFileLog } from './log-ring.js'
export { type PassedStream, type StdioMode, type StdioRequest, stdioMode } from './modes.js'
export { probe } from './probe.js'
export {
  Console,
  findTerminal,
  type HostTerminal,
  type NewConsoleOptions,
  newConsole,
  slavePath,
} from './pty.js'
export { type RawMode, restoreTerminals, setRawMode } from './raw-mode.js'
export { type RelayOptions, relay } from './relay.js'
export {
  type ConsoleStepsOptions,
  consoleSteps,
  labelTerminalStep,
  openAndDupSteps,
  type SetupConsoleOptions,
  setupConsoleSteps,
  useTerminalStep,
} from './steps.js'
export {
  clearOnlcr,
  encodeTermios,
  endOfInput,
  getTermios,
  isTerminal,
  type RawOptions,
  rawTermios,
  setTermios,
  type Termios,
} from './termios.js'
export { checkWindowSize, copyWindowSize, getWindowSize, setWindowSize, type WindowSize } from './window-size.js'
