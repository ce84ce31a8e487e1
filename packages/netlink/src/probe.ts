import { type Probe, probeCapability, probeEach } from '@libcontainer/sys'
import { GenericNetlink } from './generic.js'
import { NETLINK_SOCK_DIAG } from './message/wire.js'
import { NetlinkSocket } from './socket/socket.js'

const CAP_NET_ADMIN = 12
const CAP_SYS_ADMIN = 21

/**
 * Which protocols of netlink this kernel has, and whether this process may change networks (`changes`) and enter the network namespaces of others (`namespaces`).
 * Which kinds of links there are shows only when one is made.
 */
export async function probe(): Promise<Probe<'route' | 'generic' | 'sockets' | 'changes' | 'namespaces'>> {
  return await probeEach({
    route: () => look(),
    generic: families,
    sockets: () => look(NETLINK_SOCK_DIAG),
    changes: () => probeCapability('CAP_NET_ADMIN', CAP_NET_ADMIN),
    namespaces: () => probeCapability('CAP_SYS_ADMIN', CAP_SYS_ADMIN),
  })
}

async function look(protocol?: number): Promise<undefined> {
  const socket = await NetlinkSocket.open({ protocol })
  socket.close()
}

async function families(): Promise<string> {
  const generic = await GenericNetlink.open()
  try {
    const found = await generic.families()
    return `${found.length} families`
  } finally {
    generic.close()
  }
}
