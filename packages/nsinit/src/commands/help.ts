import { help, type Invocation, print, UsageError } from '@libcontainer/cli'
import { table } from '../commands.js'

/** What `--help` prints, for those who say it as a command. */
export async function run({ operands }: Invocation): Promise<number> {
  const [name] = operands
  const command = table.commands.find(each => each.name === name)
  if (name !== undefined && command === undefined)
    throw new UsageError(`there is no command '${name}'`, 'nsinit --help tells what there is')
  await print(help(table, command))
  return 0
}
