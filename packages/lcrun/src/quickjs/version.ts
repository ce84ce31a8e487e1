import { decodeUtf8, loadAsset, parseJson } from '@libcontainer/sys'

/** The executable's asset `versions` is a JSON object by the names of packages, with the commit where the build was told it. */
const versions = (): Readonly<Record<string, string>> =>
  parseJson(decodeUtf8(loadAsset('versions', import.meta.url))) as Readonly<Record<string, string>>

/** Of this package. */
export const version = (): string => versions().lcrun!

/** The commit that the executable was built from. */
export const commit = (): string | undefined => versions().commit
