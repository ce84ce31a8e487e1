import { type Invocation, UsageError } from '../command-line.js'
import { finish } from '../finish.js'

/** What the waiter becomes at the end: cleans up, and exits with the status of the program. */
export async function run({ flags, operands }: Invocation): Promise<number> {
  const [token, status] = operands
  const [id, stateRoot, path] = [flags.get('id'), flags.get('state-root'), flags.get('root')]
  if (id === undefined || stateRoot === undefined || path === undefined || token === undefined || status === undefined)
    throw new UsageError('finish is what nsinit runs itself', 'nsinit --help tells what there is')
  await finish({ id, stateRoot, path, token })
  return Number(status)
}
