export { makeShell, openShellFactory, type ShellOptions } from './shell/container.js'
export { type ShellLimits, shellLimits } from './shell/limits.js'
