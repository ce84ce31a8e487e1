import type { Invocation } from '@libcontainer/cli'
import { checkId } from '@libcontainer/container'
import { printLine } from '../json-line.js'
import { openFactory } from '../place.js'

/** Prints what containers do from now on, a line of JSON each, until it is ended: of those that are named first what they do now. */
export async function run(invocation: Invocation): Promise<number> {
  const { operands } = invocation
  for (const id of operands) checkId(id)
  const factory = await openFactory(invocation)
  const named = operands.length > 0
  for await (const change of await factory.monitor({ ids: named ? operands : undefined, initial: named }))
    await printLine(change)
  return 0
}
