import { describeFeatures, type Features } from '@libcontainer/sys'
import { table } from './commands.js'

/** What this command line has, on whatever host. */
export function features(): Features<'commands' | 'flags'> {
  return describeFeatures({
    commands: table.commands.filter(({ internal }) => !internal).map(({ name }) => name),
    flags: table.flags.map(({ name }) => `--${name}`),
  })
}
