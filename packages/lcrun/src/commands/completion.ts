import { completion, type Invocation, print } from '@libcontainer/cli'
import { ConfigInvalid } from '@libcontainer/sys'
import { table } from '../commands.js'

/** Prints a script for a shell. */
export async function run({ operands }: Invocation): Promise<number> {
  const [shell = ''] = operands
  if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish')
    throw new ConfigInvalid('the shell', shell, 'must be one of bash, zsh, fish')
  await print(completion(table, shell))
  return 0
}
