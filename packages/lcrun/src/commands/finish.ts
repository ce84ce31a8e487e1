import type { Invocation } from '@libcontainer/cli'
import { ContainerError } from '@libcontainer/container'
import { finish } from '../finish.js'
import { openFactory } from '../place.js'

/** What the waiter becomes at the end: cleans up, and exits with the status of the program. */
export async function run(invocation: Invocation): Promise<number> {
  const [id = '', token = '', status = ''] = invocation.operands
  const factory = await openFactory(invocation)
  try {
    await finish({ root: factory.root, id, token }, await factory.load(id))
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
  }
  return Number(status)
}
