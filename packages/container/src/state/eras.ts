import { namespaceKind } from '@libcontainer/namespaces'

/** Whose `state.json` it is, where it is not this library's own: libcontainer's of 2015, or runc's of today. */
export type Era = '2015' | '2026'

/** `undefined`: it is this library's own, or nobody's. In libcontainer's own words a namespace has a type. */
export function eraOf(state: Readonly<Record<string, unknown>>): Era | undefined {
  const { namespaces } = state.config as { readonly namespaces?: unknown }
  const typed =
    Array.isArray(namespaces) && namespaces.some(each => typeof each === 'object' && each !== null && 'type' in each)
  if (!typed) return undefined
  // Of 2015 a state does not tell when the container was made.
  return state.created === undefined ? '2015' : '2026'
}

/** Paths of namespaces by the kernel's words instead of `NEWNET` and the like. */
export function pathsByKind(paths: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [namespaceKind(name) ?? name, path]))
}
