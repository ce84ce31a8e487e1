import { setLinkRequest } from '@libcontainer/netlink'
import type { PortAct } from './acts.js'
import type { Side } from './side.js'

/** Takes a host's end off its bridge, or puts it back. One that is gone is fine. */
export async function applyPort(
  host: Side,
  { hostName, hostMac, bridge, hairpinMode = false, about }: PortAct,
): Promise<void> {
  const link = await host.links.find(hostName)
  if (link === undefined || link.mac !== hostMac) return
  const master = bridge === undefined ? null : await host.links.index(bridge)
  await host.run([
    { about, request: setLinkRequest(link.index, { master }) },
    ...(bridge !== undefined && hairpinMode
      ? [
          {
            about: `let ${bridge} send back by ${hostName}`,
            request: setLinkRequest(link.index, { bridgePort: { hairpin: true } }),
          },
        ]
      : []),
  ])
}
