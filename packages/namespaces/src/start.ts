import {
  applyInChild as applyIn,
  type Preparation,
  type Program,
  type ProgramOptions,
  startProgram as startIn,
} from '@libcontainer/sys'
import { native } from './native.js'
import { obstacleOf } from './obstacle.js'

/** Runs a program after steps of this package in a child of this process. Resolves when the kernel has executed it. */
export async function startProgram(
  preparation: Preparation,
  argv: readonly string[],
  options: ProgramOptions,
): Promise<Program> {
  try {
    return await startIn({ ...preparation, start: native.async.startInNamespaces }, argv, options)
  } catch (error) {
    throw await obstacleOf(error)
  }
}

/** Applies steps of this package in a child of this process, which then ends. */
export async function applyInChild(preparation: Preparation, signal?: AbortSignal): Promise<void> {
  try {
    await applyIn({ ...preparation, start: native.async.startInNamespaces }, signal)
  } catch (error) {
    throw await obstacleOf(error)
  }
}
