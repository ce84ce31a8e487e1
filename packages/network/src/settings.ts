import { addAddressRequest, addRouteRequest, requestStep, setLinkRequest } from '@libcontainer/netlink'
import type { Step } from '@libcontainer/sys'
import type { Act, AddressAct, RouteAct, SetAct } from './acts.js'
import type { Wanted } from './side.js'

/* What an interface of a container gets when it is there: several in one system call. */

export type Setting = SetAct | AddressAct | RouteAct

export const isSetting = (act: Act): act is Setting => act.act === 'set' || act.act === 'address' || act.act === 'route'

export function leading<T, S extends T>(list: readonly T[], is: (each: T) => each is S): S[] {
  const end = list.findIndex(each => !is(each))
  return (end < 0 ? [...list] : list.slice(0, end)) as S[]
}

export interface PartedActs {
  /** What is done from outside, in order. */
  readonly outside: readonly Act[]
  /** What follows it and is of the container's own interfaces alone: done faster by whoever is in the namespace. */
  readonly inside: readonly Setting[]
}

/** Parts what is done for a container in a new namespace. Pure. */
export function partActs(acts: readonly Act[]): PartedActs {
  const end = acts.findLastIndex(act => !isSetting(act)) + 1
  return { outside: acts.slice(0, end), inside: acts.slice(end) as Setting[] }
}

/** A setting as a step of a process in the namespace, where the index of the interface is found. Pure. */
export function settingStep(act: Setting): Step {
  return requestStep({ ...settingRequest(act, () => LOOPBACK), about: act.about }, act.name)
}

/** The first link of each namespace. */
export const LOOPBACK = 1

/** @param indexOf - of an interface of the container, by its name there */
export function settingRequest(act: Setting, indexOf: (name: string) => number): Wanted['request'] {
  switch (act.act) {
    case 'set': {
      const { name, macAddress, mtu, txQueueLen, up } = act
      return setLinkRequest(indexOf(name), { mac: macAddress, mtu, txQueueLength: txQueueLen, up })
    }
    case 'address':
      // Without duplicate address detection, for which a program would wait a second before it could use it.
      return addAddressRequest(indexOf(act.name), act.address, act.address.includes(':') ? { flags: ['nodad'] } : {})
    case 'route': {
      const { destination = 'default', family, source, gateway, name, onLink } = act
      return addRouteRequest({
        family,
        destination,
        source,
        gateway,
        dev: name === undefined ? undefined : indexOf(name),
        onlink: onLink,
      })
    }
  }
}
