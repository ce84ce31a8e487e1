import { addAddressRequest, addRouteRequest, setLinkRequest } from '@libcontainer/netlink'
import type { Act, AddressAct, RouteAct, SetAct } from './acts.js'
import type { Wanted } from './side.js'

/* What an interface of a container gets when it is there: several in one system call. */

export type Setting = SetAct | AddressAct | RouteAct

export const isSetting = (act: Act): act is Setting => act.act === 'set' || act.act === 'address' || act.act === 'route'

export function leading<T, S extends T>(list: readonly T[], is: (each: T) => each is S): S[] {
  const end = list.findIndex(each => !is(each))
  return (end < 0 ? [...list] : list.slice(0, end)) as S[]
}

export function settingRequest(act: Setting, inside: ReadonlyMap<string, number>): Wanted['request'] {
  switch (act.act) {
    case 'set': {
      const { name, macAddress, mtu, txQueueLen, up } = act
      return setLinkRequest(inside.get(name)!, { mac: macAddress, mtu, txQueueLength: txQueueLen, up })
    }
    case 'address':
      // Without duplicate address detection, for which a program would wait a second before it could use it.
      return addAddressRequest(
        inside.get(act.name)!,
        act.address,
        act.address.includes(':') ? { flags: ['nodad'] } : {},
      )
    case 'route': {
      const { destination = 'default', family, source, gateway, name, onLink } = act
      return addRouteRequest({
        family,
        destination,
        source,
        gateway,
        dev: name === undefined ? undefined : inside.get(name)!,
        onlink: onLink,
      })
    }
  }
}
