import { addBridgeVlanRequest, deleteBridgeVlanRequest, setLinkRequest } from '@libcontainer/netlink'
import type { PairAct, PortAct } from './acts.js'
import type { Side, Wanted } from './side.js'

/** All that there can be. */
const EVERY_VLAN = { vid: 1, vidEnd: 4094 }

/** What follows when a host's end is a port of its bridge. One with VLANs of its own is down until it has them, and in no other. Pure. @param index - of the host's end */
export function portRequests(
  { hostName, bridge, hairpinMode = false, vlans }: PairAct | PortAct,
  index: number,
): Wanted[] {
  const wanted: Wanted[] = []
  if (hairpinMode)
    wanted.push({
      about: `let ${bridge} send back by ${hostName}`,
      request: setLinkRequest(index, { bridgePort: { hairpin: true } }),
    })
  if (vlans === undefined) return wanted
  wanted.push({
    about: `take ${hostName} out of the VLANs that ${bridge} gives every port`,
    request: deleteBridgeVlanRequest({ dev: index, ...EVERY_VLAN }),
  })
  for (const { vid, vidEnd, untagged } of vlans)
    wanted.push({
      about: `put ${hostName} into ${vidEnd === undefined ? `VLAN ${vid}` : `VLANs ${vid}-${vidEnd}`} of ${bridge}`,
      request: addBridgeVlanRequest({ dev: index, vid, vidEnd, pvid: untagged, untagged }),
    })
  wanted.push({ about: `bring ${hostName} up`, request: setLinkRequest(index, { up: true }) })
  return wanted
}

/** Takes a host's end off its bridge, or puts it back. One that is gone is fine. */
export async function applyPort(host: Side, act: PortAct): Promise<void> {
  const { hostName, hostMac, bridge, vlans, about } = act
  const link = await host.links.find(hostName)
  if (link === undefined || link.mac !== hostMac) return
  const { index } = link
  if (bridge === undefined) return void (await host.run([{ about, request: setLinkRequest(index, { master: null }) }]))
  const master = await host.links.index(bridge)
  const down = { about: `take ${hostName} down`, request: setLinkRequest(index, { up: false }) }
  await host.run([
    ...(vlans === undefined ? [] : [down]),
    { about, request: setLinkRequest(index, { master }) },
    ...portRequests(act, index),
  ])
}
