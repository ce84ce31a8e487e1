import { engine } from '@libcontainer/sys'
import { packageVersion } from '#package-version'
import { facilities } from './facilities.js'

/** The versions of OCI's runtime specification whose configurations are understood: from the first to the last. */
export const OCI_VERSIONS = Object.freeze({ min: '1.0.0', max: '1.3.0' })

export interface Versions {
  /** By the package's name on npm. */
  readonly packages: Readonly<Record<string, string>>
  readonly oci: typeof OCI_VERSIONS
  /** What runs this program, such as `node 20.20.2`. */
  readonly engine: string
}

/** Which versions of the packages are installed, and which configurations of OCI they are for. */
export function versions(): Versions {
  const names = ['libcontainer', ...[...facilities.keys()].map(name => `@libcontainer/${name}`)]
  const packages = Object.fromEntries(names.map(name => [name, packageVersion(name)]))
  return Object.freeze({ packages: Object.freeze(packages), oci: OCI_VERSIONS, engine })
}
