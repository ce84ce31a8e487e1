/** What the labels of a container's state say. */
export interface SplitAnnotations {
  /** The directory of the OCI bundle, where a label names it. */
  readonly bundle: string | undefined
  /** The annotations proper, in order; a key that comes twice has its last value. */
  readonly annotations: ReadonlyMap<string, string>
}

/** Splits labels (`key=value`) as a state file keeps them; what has no `=` is none. A value may hold further ones. */
export function splitAnnotations(labels: readonly string[]): SplitAnnotations {
  const annotations = new Map<string, string>()
  let bundle: string | undefined
  for (const label of labels) {
    const equals = label.indexOf('=')
    if (equals < 0) continue
    const [key, value] = [label.slice(0, equals), label.slice(equals + 1)]
    if (key === 'bundle') bundle = value
    else annotations.set(key, value)
  }
  return { bundle, annotations }
}
