import {
  addLinkRequest,
  type NamespaceTarget,
  type NetlinkRequest,
  prepareRequests,
  requestStep,
} from '@libcontainer/netlink'
import { type OwnedFd, openNull, type Step, slot } from '@libcontainer/sys'
import type { PairAct } from './acts.js'
import { portRequests } from './port.js'

/** Stands for a link whose index comes later. */
const ANY = 1

/** Makes a pair by one message: nobody is killed between making it and moving it. @param bridge - its index */
export function pairRequest(act: PairAct, bridge: number, namespace: NamespaceTarget): NetlinkRequest {
  const { hostName, hostMac, name, macAddress, mtu, txQueueLen, vlans } = act
  return addLinkRequest({
    kind: 'veth',
    name: hostName,
    mac: hostMac,
    mtu,
    txQueueLength: txQueueLen,
    master: bridge,
    // What it is a member of as a port is not known to the bridge before it is one.
    up: vlans === undefined,
    peer: { name, mac: macAddress, mtu, txQueueLength: txQueueLen, namespace },
  })
}

/** A pair as steps in the host's namespace, where the indices of links are found. Pure. @param namespace - the container's */
export function pairSteps(act: PairAct, namespace: NamespaceTarget): Step[] {
  const { about, bridge, hostName } = act
  const request = pairRequest(act, ANY, namespace)
  const hints = { ...request.hints, ENODEV: `the host has no link ${bridge} any more` }
  const pair = requestStep({ ...request, about, hints }, bridge)
  const port = portRequests(act, ANY).map(({ about, request }) => requestStep({ ...request, about }, hostName))
  return [pair, ...port]
}

/**
 * Readies the messages that make pairs whose bridges were looked up before, and nothing else, and answers with what makes them: by one call off the thread. What
 * is made when one is refused stays.
 *
 * @param namespace - where their other ends are from their first moment; one that is being made will do
 */
export function preparePairs(acts: readonly PairAct[], namespace: OwnedFd): () => Promise<void> {
  return prepareRequests(acts.flatMap(act => pairSteps(act, { fd: namespace })))
}

/** A network namespace with pairs that is to be made. */
export interface NamespaceWithPairs {
  /** It, once it is made; open before, so that messages can name it. The taker closes it, and not while it is being made. */
  readonly namespace: OwnedFd
  /** @throws {SyscallError} with `step` */
  make(): Promise<void>
}

/** Readies the messages that make a new network namespace and pairs in it, by one call off the thread. Until somebody else is in it, it ends with its descriptor, and they with it. */
export function namespaceWithPairs(acts: readonly PairAct[]): NamespaceWithPairs {
  const namespace = openNull()
  const made = slot('made')
  const about = 'make a network namespace'
  const steps = [
    { op: 'makeNetworkNamespace', args: [], about, into: made.slot },
    { op: 'dupTo', args: [made, namespace.fd], about },
    { op: 'close', args: [made], about },
  ]
  return { namespace, make: prepareRequests([...steps, ...acts.flatMap(act => pairSteps(act, { fd: namespace }))]) }
}
