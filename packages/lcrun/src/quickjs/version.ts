import { decodeUtf8, loadAsset, parseJson } from '@libcontainer/sys'

/** Of this package: the executable's asset `versions` is a JSON object by the names of packages. */
export function version(): string {
  return (parseJson(decodeUtf8(loadAsset('versions', import.meta.url))) as Readonly<Record<string, string>>).lcrun!
}
