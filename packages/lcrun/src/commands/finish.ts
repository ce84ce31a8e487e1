import type { Invocation } from '@libcontainer/cli'
import { finish } from '../finish.js'
import { openFactory } from '../place.js'

/** What the waiter becomes at the end: cleans up, and exits with the status of the program. */
export async function run(invocation: Invocation): Promise<number> {
  const [id = '', token = '', status = ''] = invocation.operands
  const factory = await openFactory(invocation)
  await finish({ root: factory.root, id, token }, () => factory.load(id))
  return Number(status)
}
