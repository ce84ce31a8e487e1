import { type Invocation, manual, print, UsageError } from '@libcontainer/cli'
import { version } from '#version'
import { table } from '../commands.js'

/** Prints a manual page, for man(1): `lcrun man run | man -l -`. */
export async function run({ operands }: Invocation): Promise<number> {
  const [name] = operands
  const command = table.commands.find(each => each.name === name)
  if (name !== undefined && command === undefined)
    throw new UsageError(`there is no command '${name}'`, 'lcrun --help tells what there is')
  await print(manual(table, { version: version() }, command))
  return 0
}
