import { decodeUtf8, loadAsset, parseJson } from '@libcontainer/sys'

let known: Readonly<Record<string, string>> | undefined

/** The version of a package that was linked in: the executable's asset `versions` is a JSON object of them. */
export function packageVersion(name: string): string {
  known ??= parseJson(decodeUtf8(loadAsset('versions', import.meta.url))) as Record<string, string>
  return known[name] ?? 'unknown'
}
