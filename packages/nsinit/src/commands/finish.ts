import { type Invocation, UsageError } from '@libcontainer/cli'
import { finish } from '../finish.js'

/** What the waiter becomes at the end: cleans up, and exits with the status of the program. */
export async function run({ flags, operands }: Invocation): Promise<number> {
  const [token, path, status] = operands
  const [id, stateRoot] = [flags.get('id'), flags.get('root')]
  if (id === undefined || stateRoot === undefined || token === undefined || path === undefined || status === undefined)
    throw new UsageError('finish is what nsinit runs itself', 'nsinit --help tells what there is')
  await finish({ id, stateRoot, path, token, named: path === '' })
  return Number(status)
}
