import { InitProgram } from '@libcontainer/init'
import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import type { ProcessSpec } from './process-spec.js'
import type { ResolvedConfig } from './resolve.js'

/** A program of the host's that runs in a container in place of one of its own: an interpreter of what its root filesystem holds, for one. */
export interface Payload {
  /** Made once, and given again and again: `new InitProgram(() => bytes, [], 'interpreter')`. Static, or what it needs lies in the root filesystem. */
  readonly program: InitProgram
  /** Its argv. Default: that of the process. */
  readonly args?: readonly string[] | undefined
}

/**
 * Chooses what is executed for a process of a container: asked before anything is made for it; `undefined` for `args[0]` of its own root
 * filesystem. The payload is executed from memory, where no container can write to it, with all that the process would have had: its user,
 * environment, directory, streams, seccomp filter.
 */
export type Executor = (
  process: ProcessSpec,
  container: { readonly id: string; readonly config: ResolvedConfig },
) => Payload | undefined | Promise<Payload | undefined>

/** What of a process's program is its payload's; `done` closes what is of this one execution. */
export interface PreparedPayload {
  readonly args: readonly string[]
  readonly fd: number
  readonly done: () => void
}

/** Asks the executor, where there is one. @throws {ConfigInvalid} for an answer that is none */
export async function preparePayload(
  executor: Executor | undefined,
  spec: ProcessSpec,
  container: { readonly id: string; readonly config: ResolvedConfig },
): Promise<PreparedPayload | undefined> {
  const payload = await executor?.(spec, container)
  if (payload === undefined) return undefined
  if (!(payload.program instanceof InitProgram))
    throw new ConfigInvalid('executor', payload.program, 'must answer { program, args }, the program as an InitProgram')
  const { args = spec.args } = payload
  if (!Array.isArray(args) || args.length === 0)
    throw new ConfigInvalid('executor.args', args, 'must be a list that begins with argv[0]')
  for (const [i, arg] of args.entries()) kernelString(arg, `executor.args[${i}]`)
  const { program, done } = payload.program.open()
  return { args, fd: program.fd, done }
}
