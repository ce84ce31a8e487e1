import type { GetOptions, Link } from '@libcontainer/netlink'
import type { MadePair } from './made.js'
import type { Side } from './side.js'

/** The host's end of a pair, whatever it is called now: by its name if that is still its own, else by its address among all. `undefined` for one that is gone. */
export async function findPair(
  host: Side,
  { hostName, hostMac }: MadePair,
  options: GetOptions = {},
): Promise<Link | undefined> {
  const isIt = ({ kind, mac }: Link): boolean => kind === 'veth' && mac === hostMac
  const named = await host.links.find(hostName, options)
  if (named !== undefined && isIt(named)) return named
  return (await host.links.list({ ...options, kind: 'veth' })).find(isIt)
}
