import type { Status } from './status.js'

/** The statuses by their names of 2015, in the order of their numbers, which begin at 1. */
export const statuses2015 = ['Running', 'Pausing', 'Paused', 'Checkpointed', 'Destroyed'] as const

export type Status2015 = (typeof statuses2015)[number]

/** All that {@link Status} can be. */
export const statuses: readonly Status[] = ['creating', 'created', 'running', 'paused', 'stopped']

const today: Readonly<Record<Status2015, Status>> = {
  Running: 'running',
  // Its processes run until they all stand.
  Pausing: 'running',
  Paused: 'paused',
  Checkpointed: 'stopped',
  Destroyed: 'stopped',
}

/** What a status of 2015 is called today. */
export const statusFrom2015 = (status: Status2015): Status => today[status]

/** @param checkpointed - whether there is a checkpoint of it, which said more than anything else */
export function statusTo2015(status: Status, { checkpointed = false }: { checkpointed?: boolean } = {}): Status2015 {
  if (checkpointed) return 'Checkpointed'
  if (status === 'stopped') return 'Destroyed'
  return status === 'paused' ? 'Paused' : 'Running'
}

/** A status as commands print it: what is none of them is `unknown`. */
export const statusText = (status: unknown): string =>
  statuses.includes(status as Status) ? (status as Status) : 'unknown'
