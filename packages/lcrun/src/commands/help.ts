import { help, type Invocation, namedCommand, print } from '@libcontainer/cli'
import { table } from '../commands.js'

/** What `--help` prints, for those who say it as a command. */
export async function run(invocation: Invocation): Promise<number> {
  await print(help(table, namedCommand(table, invocation)))
  return 0
}
