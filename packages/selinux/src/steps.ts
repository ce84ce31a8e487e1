import { type Step, writeLabelStep } from '@libcontainer/sys'
import { parseContext } from './context.js'
import { labelHints } from './process.js'

const words = {
  current: 'change to',
  exec: 'execute under',
  fscreate: 'make files with',
  keycreate: 'make keys with',
  sockcreate: 'make sockets with',
} as const

/**
 * The step by which a task gives itself a label; a step `openLabelsStep` of `@libcontainer/sys` comes before it.
 *
 * @param kind - `exec` is that of the program; the others are of the task itself, and of what it makes from now on
 * @param label - an empty one takes it back
 * @throws {ConfigInvalid} for what is no context
 * @see proc_pid_attr(5)
 */
export function labelStep(kind: keyof typeof words, label: string, field?: string): Step {
  if (label !== '') parseContext(label, field)
  const about = `${words[kind]} the label ${label === '' ? 'of the policy' : label}`
  return writeLabelStep(kind, label, { about, hints: labelHints })
}
