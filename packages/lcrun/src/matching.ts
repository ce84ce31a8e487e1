import { type Invocation, isOn } from '@libcontainer/cli'
import { ContainerError, type Factory } from '@libcontainer/container'
import { ConfigInvalid, LibcontainerError } from '@libcontainer/sys'
import { idOf } from './place.js'

/**
 * Does something to the container that a command line names, or with `--regex` to all whose id it matches: then each is tried, one that is gone by then is
 * nobody's trouble, and what went wrong with others is told when all are through.
 *
 * @throws {ConfigInvalid} for what is no regular expression
 */
export async function forEachId(
  invocation: Invocation,
  { root }: Pick<Factory, 'root'>,
  act: (id: string) => Promise<void>,
): Promise<void> {
  if (!isOn(invocation, 'regex')) return await act(idOf(invocation))
  const expression = compile(invocation.operands[0] ?? '')
  const failures: Error[] = []
  const { overview } = await import('@libcontainer/container')
  for (const { id } of await overview(root)) if (expression.test(id)) await act(id).catch(error => failures.push(error))
  const [first, ...more] = failures.filter(error => !isGone(error))
  if (first === undefined) return
  if (more.length === 0) throw first
  const messages = [first, ...more].map(({ message }) => message).join('; ')
  throw new LibcontainerError('ERR_SEVERAL', `${more.length + 1} containers: ${messages}`, { cause: first })
}

const isGone = (error: Error): boolean => error instanceof ContainerError && error.code === 'ContainerNotExists'

function compile(pattern: string): RegExp {
  // It would match all of them: whoever writes it has lost a variable of a shell.
  if (pattern === '') throw new ConfigInvalid('--regex', pattern, 'must not be empty: .* means all')
  try {
    return new RegExp(pattern, 'u')
  } catch (cause) {
    throw new ConfigInvalid('--regex', pattern, `is no regular expression: ${(cause as Error).message}`, { cause })
  }
}
