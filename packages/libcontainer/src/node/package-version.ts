import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The version of an installed package, this one's own or one that it depends on. */
export function packageVersion(name: string): string {
  const path = name === 'libcontainer' ? '../../package.json' : `${name}/package.json`
  return (require(path) as { version: string }).version
}
