import { type Invocation, print } from '@libcontainer/cli'
import type { StatusChange } from '@libcontainer/container'
import { LibcontainerError } from '@libcontainer/sys'
import { parseDuration } from '../duration.js'
import { idOf, openFactory } from '../place.js'

/** Waits until a container is in one of some states, whichever process sees to it, and prints which. */
export async function run(invocation: Invocation): Promise<number> {
  const { operands, flags } = invocation
  const id = idOf(invocation)
  const words = (operands.length > 1 ? operands.slice(1) : ['stopped']) as StatusChange['status'][]
  const text = flags.get('timeout')
  const signal = text === undefined ? undefined : AbortSignal.timeout(parseDuration('--timeout', text))
  const factory = await openFactory(invocation)
  try {
    const { status } = await factory.waitFor(id, words, { signal })
    await print(`${status}\n`)
    return 0
  } catch (error) {
    if (!signal?.aborted) throw error
    throw new LibcontainerError('ETIMEDOUT', `container '${id}' has not been ${words.join(' or ')} for ${text}`)
  }
}
