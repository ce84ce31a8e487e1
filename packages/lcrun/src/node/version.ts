import { createRequire } from 'node:module'

interface Manifest {
  readonly version: string
  readonly gitHead?: string
}

const manifest = (): Manifest => createRequire(import.meta.url)('../../package.json') as Manifest

/** Of this package. */
export const version = (): string => manifest().version

/** The commit that this package was published from, which npm's publishers write into it; `undefined` in a working tree. */
export const commit = (): string | undefined => manifest().gitHead
