/** Whether a config is in libcontainer's own words, as its `state.json` of 2015 and runc's of today have it: namespaces have a type. */
export function isEarlier(config: unknown): boolean {
  const { namespaces } = config as { readonly namespaces?: unknown }
  return (
    Array.isArray(namespaces) && namespaces.some(each => typeof each === 'object' && each !== null && 'type' in each)
  )
}
