import type { Probe } from '@libcontainer/sys'
import { facilities } from './facilities.js'

/** What this host offers this process, by package and name, as in `namespaces.user`; what is absent has its reason. */
export async function probe(): Promise<Probe> {
  const found = await Promise.all(
    [...facilities].map(async ([name, facility]) =>
      Object.entries(await facility.probe()).map(([what, answer]) => [`${name}.${what}`, answer] as const),
    ),
  )
  return Object.freeze(Object.fromEntries(found.flat()))
}
