import {
  ConfigInvalid,
  generateRandomName,
  kernelString,
  makeDirectory,
  removeFile,
  type Waiting,
  writeText,
} from '@libcontainer/sys'
import { defaultProfile } from './default-profile.js'
import { CACHE, removeProfile } from './load.js'
import { runParser } from './parser.js'
import { getLabel } from './process.js'
import { type ProfileRules, profileText } from './profile-text.js'
import { status } from './status.js'

export interface PrivateProfileOptions extends Waiting {
  /** What it has in place of that part of the default profile. Default: nothing. */
  readonly rules?: Partial<Omit<ProfileRules, 'name'>> | undefined
  /** Lets it hold containers of its own, which takes mounts. Default: `false`. */
  readonly nesting?: boolean | undefined
  /** A directory of root's, where its text is while it is loaded. Default: `/var/cache/libcontainer/apparmor`. */
  readonly cache?: string | undefined
  /** The path of `apparmor_parser`. Default: where distributions install it. */
  readonly parser?: string | undefined
}

/** A profile of one container's own. */
export interface PrivateProfile extends AsyncDisposable {
  readonly name: string
  /** What `apparmorProfile` of a config takes: its name; where this process is confined, stacked on what confines it. */
  readonly profile: string
  /** Takes it out of the kernel, when the container has ended: whoever still runs under it is unconfined then. */
  remove(): Promise<void>
}

/** The name of the profile of a container's own: whoever cleans up after a crash removes it by that. Pure. */
export function privateProfileName(id: string): string {
  if (!/^[\w+.-]+$/.test(kernelString(id, 'id'))) throw new ConfigInvalid('id', id, 'must be the id of a container')
  return `libcontainer-${id}`
}

/**
 * Makes and loads a profile for one container alone: signals and ptrace reach no other container, be it under the same rules. It stays until it is removed.
 *
 * @throws {ConfigInvalid} for a bad rule by its field, and where AppArmor is off
 * @throws {LibcontainerError} `ProfileRefused` with what the parser says
 * @throws {SyscallError} `ENOENT` without `apparmor_parser`
 */
export async function loadPrivateProfile(
  id: string,
  { rules = {}, nesting = false, cache = CACHE, ...waiting }: PrivateProfileOptions = {},
): Promise<PrivateProfile> {
  const name = privateProfileName(id)
  const { enabled, reason } = await status()
  if (!enabled) throw new ConfigInvalid('profile', name, `cannot be loaded: ${reason}`)
  const outer = await getLabel('self')
  const confined = outer?.confined ?? false
  const base = defaultProfile(name, confined ? { peer: outer?.profiles.at(-1)?.name } : {})
  const mounts = nesting ? { mounts: NESTED } : {}
  await makeDirectory(cache, { mode: 0o700, parents: true })
  // Another has another text: none would ever be compiled twice.
  const path = generateRandomName(`${cache}/${name}.`, 16)
  await writeText(path, profileText({ ...base, ...mounts, ...rules, name }), { mode: 0o600 })
  try {
    await runParser(['--replace', '--skip-cache', '--quiet', path], waiting)
  } finally {
    await removeFile(path)
  }
  const remove = (): Promise<void> => removeProfile(name)
  return { name, profile: confined ? `&${name}` : name, remove, [Symbol.asyncDispose]: remove }
}

const NESTED = (['mount', 'umount', 'pivot_root'] as const).map(action => ({ action }))
