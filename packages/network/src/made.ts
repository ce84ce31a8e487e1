import type { Act } from './acts.js'
import type { RunningHelper } from './helper.js'

/* What is recorded of a container's networks, so that whoever removes it finds all that was made. Plain data, as JSON. */

/** A pair: its end on the host goes, and the other with it. */
export interface MadePair {
  /** As it was made. */
  readonly hostName: string
  /** By which it is known again, whatever became of its name. */
  readonly hostMac: string
}

/** A device as it was on the host. */
export interface LentDevice {
  readonly name: string
  readonly index: number
  readonly kind?: string | undefined
  readonly mac?: string | undefined
  readonly permanentMac?: string | undefined
  readonly mtu: number
  readonly txQueueLength: number
  readonly up: boolean
  /** The kernel keeps none of them when it moves: those that somebody has given it. */
  readonly addresses: readonly KeptAddress[]
  /** In the container; `undefined` before it is moved. */
  readonly inside?: number | undefined
  /** When the container is removed. Else only when it could not be started. */
  readonly giveBack: boolean
}

export interface KeptAddress {
  /** With its length. */
  readonly address: string
  readonly peer?: string | undefined
  /** `false` for none. */
  readonly broadcast?: string | false | undefined
  readonly label?: string | undefined
  readonly metric?: number | undefined
}

/** A link that was made in a namespace that outlives the container. */
export interface MadeInside {
  readonly name: string
  readonly index: number
  readonly kind: string
}

export interface MadeNetworks {
  readonly pairs: readonly MadePair[]
  readonly lent: readonly LentDevice[]
  readonly inside: readonly MadeInside[]
  readonly helpers: readonly RunningHelper[]
  /** The host's namespace, as `device:inode`: where lent devices go back to. */
  readonly host?: string | undefined
  /** The container's, likewise. */
  readonly container?: string | undefined
  /** A file by which it can be opened when the container has ended. */
  readonly path?: string | undefined
}

/** What a plan is going to make, before anything is made. Pure. */
export function expectedOf(acts: readonly Act[]): MadeNetworks {
  const pairs = acts.flatMap(act => (act.act === 'pair' ? [{ hostName: act.hostName, hostMac: act.hostMac }] : []))
  return { pairs, lent: [], inside: [], helpers: [] }
}

/** Whether the container's namespace has to be found again, to give something back or to delete it there. Pure. */
export function needsNamespace(acts: readonly Act[], namespace: 'new' | 'joined'): boolean {
  return acts.some(act => (act.act === 'move' && act.giveBack) || (act.act === 'upper' && namespace === 'joined'))
}
