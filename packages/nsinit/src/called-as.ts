/**
 * The words of a command line. Late 2014's nsinit was also called by the names of what it did in a container: `nsenter-mknod`, with the same
 * flags, is `exec --func mknod`.
 */
export function wordsOf(name: string, args: readonly string[]): readonly string[] {
  const [, called] = /(?:^|\/)nsenter-([a-z]+)$/.exec(name) ?? []
  return called === undefined ? args : ['exec', '--func', called, ...args]
}
