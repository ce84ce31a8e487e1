import type { Link, LinkStatistics } from '@libcontainer/netlink'
import { findPair } from './find-pair.js'
import type { MadeNetworks } from './made.js'
import { Side } from './side.js'

type Count = LinkStatistics['rxBytes']

/** What an interface of a container has sent and received, as the container sees it. */
export interface InterfaceStats {
  /** The name of the host's end. */
  readonly name: string
  readonly rxBytes: Count
  readonly rxPackets: Count
  readonly rxErrors: Count
  readonly rxDropped: Count
  readonly txBytes: Count
  readonly txPackets: Count
  readonly txErrors: Count
  readonly txDropped: Count
}

/**
 * The counters of the pairs of a container, by their ends on the host, where no container can change what is counted. What the host's end receives the
 * container has sent. A pair that is gone is left out.
 */
export async function interfaceStats({ pairs }: Pick<MadeNetworks, 'pairs'>): Promise<InterfaceStats[]> {
  if (pairs.length === 0) return []
  const host = await Side.open()
  try {
    const all = await Promise.all(
      pairs.map(async pair => {
        const link = await findPair(host, pair, { statistics: true })
        return link === undefined ? undefined : statsOf(link)
      }),
    )
    return all.filter(each => each !== undefined)
  } finally {
    host.close()
  }
}

/** The counters of a host's end, from the container's side. Pure. */
export function statsOf({ name, statistics }: Pick<Link, 'name' | 'statistics'>): InterfaceStats {
  return {
    name,
    rxBytes: statistics?.txBytes ?? 0,
    rxPackets: statistics?.txPackets ?? 0,
    rxErrors: statistics?.txErrors ?? 0,
    rxDropped: statistics?.txDropped ?? 0,
    txBytes: statistics?.rxBytes ?? 0,
    txPackets: statistics?.rxPackets ?? 0,
    txErrors: statistics?.rxErrors ?? 0,
    txDropped: statistics?.rxDropped ?? 0,
  }
}
