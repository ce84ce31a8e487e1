export { columns } from './columns.js'
export {
  type Command,
  type CommandTable,
  type Flag,
  flagsOf,
  type Invocation,
  isOn,
  type Parsed,
  parse,
  UsageError,
} from './command-line.js'
export { completion, type Shell } from './completion.js'
export { type ReportOptions, report } from './failure.js'
export { features } from './features.js'
export { help } from './help.js'
export {
  debug,
  flushLog,
  inform,
  isDebugging,
  type LogRequest,
  logError,
  openLog,
  warn,
} from './log.js'
export { type LogService, openLogService } from './log-service.js'
export { type ManualOptions, manual } from './manual.js'
export { namedCommand } from './named-command.js'
export { print, printJson } from './output.js'
export { probe } from './probe.js'
