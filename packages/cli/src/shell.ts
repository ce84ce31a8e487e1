export { makeShell, openShellFactory, type ShellOptions, sweep } from './shell/container.js'
export { type ShellLimits, shellLimits } from './shell/limits.js'
