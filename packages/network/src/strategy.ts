import type { Act } from './acts.js'
import type { Network } from './types.js'

/** What is chosen for a network before anything is done: so a plan is pure, and what it makes is known again. */
export interface Chosen {
  /** The name of the interface in the container. */
  readonly name: string
  /** Those of the host's end of a pair. */
  readonly hostName: string
  readonly hostMac: string
}

/**
 * How networks of one type are made. Each part is pure and answers with what is to be done: in the order `create` (links, on the host),
 * `initialize` (what they have in the container). `detach` and `attach` take a container that runs off its network and put it back.
 */
export interface Strategy<N = Network> {
  readonly type: string
  /** Whether its interface is called `eth0`, `eth1`, …, where it has no name. */
  readonly named: boolean
  /** @throws {ConfigInvalid} for what it cannot be, by field */
  check(network: N, field: string): void
  create(network: N, chosen: Chosen): readonly Act[]
  initialize(network: N, chosen: Chosen): readonly Act[]
  attach?(network: N, chosen: Chosen): readonly Act[]
  detach?(network: N, chosen: Chosen): readonly Act[]
}
