import { parseAddressMessage } from '../../packages/netlink/src/address/address.js'
import { deleteAddress } from '../../packages/netlink/src/address/messages.js'
import { formatPrefix, networkOf, parsePrefix, prefixHolds } from '../../packages/netlink/src/address/prefix.js'
import { addressBytes, formatAddress } from '../../packages/netlink/src/address/text.js'
import { parseLink } from '../../packages/netlink/src/link/link.js'
import { formatMac, parseMac } from '../../packages/netlink/src/link/mac.js'
import { addLink } from '../../packages/netlink/src/link/messages.js'
import { checkLinkName } from '../../packages/netlink/src/link/name.js'
import type { NewLink } from '../../packages/netlink/src/link/options.js'
import type { NetlinkRequest } from '../../packages/netlink/src/message/message.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** What the kernel tells of links and addresses, of whatever kind, and the same as text: what is read can be written, and is read again. */
export function fuzz(data: Uint8Array): void {
  checkLink(data)
  checkAddress(data)
  checkText(textOf(data))
}

function checkLink(data: Uint8Array): void {
  const link = answer(() => parseLink(data, { statistics: true }), 'EPROTO')
  if (link === undefined) return
  same(parseLink(data), { ...link, statistics: undefined }, 'a link without its statistics')
  if (link.kind === undefined || link.data === undefined) return
  // What the kernel alone tells cannot be given back.
  const again = answer(() => addLink({ name: 'x', kind: link.kind, data: link.data, link: 1 } as NewLink))
  if (again !== undefined) same(parseLink(bytesOf(again)).data, link.data, 'the data of a kind written and read again')
}

function checkAddress(data: Uint8Array): void {
  const address = answer(() => parseAddressMessage(data), 'EPROTO')
  if (address === undefined) return
  const { family, link, prefixLength, peer } = address
  const request = answer(() =>
    peer === undefined
      ? deleteAddress(link, `${address.address}/${prefixLength}`)
      : deleteAddress(link, address.address, { peer: `${peer}/${prefixLength}` }),
  )
  if (request === undefined) return
  const again = parseAddressMessage(bytesOf(request))
  same(
    [again?.family, again?.link, again?.address, again?.prefixLength, again?.peer],
    [family, link, address.address, prefixLength, peer],
    'an address written and read again',
  )
}

function checkText(text: string): void {
  const address = addressBytes(text)
  if (address !== undefined) same(addressBytes(formatAddress(address)), address, 'the address')
  const prefix = answer(() => parsePrefix(text))
  if (prefix !== undefined) {
    same(parsePrefix(formatPrefix(prefix)), prefix, 'the prefix')
    hold(prefixHolds(networkOf(prefix), prefix.address), 'a network without its address')
  }
  const mac = answer(() => parseMac(text))
  if (mac !== undefined) same(parseMac(formatMac(mac)), mac, 'the MAC')
  const name = answer(() => checkLinkName(text))
  hold(name === undefined || (name.length <= 15 && !/[/:\s]/.test(name)), 'a name that the kernel refuses')
}

const bytesOf = ({ body }: NetlinkRequest): Uint8Array => (body instanceof Uint8Array ? body : body.bytes)

export function seeds(): (string | Uint8Array)[] {
  const links: NewLink[] = [
    { name: 'm0', kind: 'macvlan', link: 1, data: { mode: 'source', macs: ['02:00:00:00:00:01'] } },
    { name: 'v0', kind: 'vlan', link: 1, data: { id: 7, flags: ['gvrp'], egressPriorities: [{ from: 1, to: 2 }] } },
    {
      name: 'x0',
      kind: 'vxlan',
      data: { id: 7, group: '239.1.1.1', portRange: { low: 1, high: 2 }, groupPolicy: true },
    },
    { name: 'b0', kind: 'bond', data: { mode: 'active-backup', arpIpTargets: ['192.0.2.1'] } },
    { name: 'br0', kind: 'bridge', data: { stpState: 1, options: { value: 1, mask: 3 }, multicastQueryInterval: 1n } },
    { name: 'a', kind: 'younger', data: Uint8Array.of(5, 0, 1, 0, 7, 0, 0, 0) },
  ]
  return [
    ...links.map(link => bytesOf(addLink(link))),
    bytesOf(deleteAddress(3, '192.0.2.1/24')),
    bytesOf(deleteAddress(3, '2001:db8::1', { peer: '2001:db8:1::/64' })),
    ...['192.0.2.1/24', '2001:db8::1/64', '::ffff:192.0.2.1', '02:42:ac:11:00:02', '0242.ac11.0002', 'eth0'],
  ]
}
