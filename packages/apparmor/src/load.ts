import {
  ConfigInvalid,
  generateRandomName,
  isErrno,
  makeDirectory,
  O_WRONLY,
  readTextIfPresent,
  rename,
  SyscallError,
  shortHash,
  type Waiting,
  writeText,
} from '@libcontainer/sys'
import { parseProfileName } from './label.js'
import { checkProfileName } from './name.js'
import { runParser } from './parser.js'
import { type ProfileRules, profileText } from './profile-text.js'
import { listProfiles, SECURITYFS, status } from './status.js'

export interface LoadOptions extends Waiting {
  /** A directory of root's for texts, by their hash, and what the parser has made of them. Default: `/var/cache/libcontainer/apparmor`. */
  readonly cache?: string | undefined
  /** The policy namespace that it is loaded into; one that is not there is made. Default: that of this process. */
  readonly namespace?: string | undefined
  /** The path of `apparmor_parser`. Default: where distributions install it. */
  readonly parser?: string | undefined
}

export interface LoadResult {
  /** The file with the text. */
  readonly path: string
}

export const CACHE = '/var/cache/libcontainer/apparmor'

/**
 * Loads a profile into the kernel, in place of one of its name. The parser compiles a text once for this kernel and these includes, and takes what it made
 * the next time.
 *
 * @param profile - rules, or a text in the language of apparmor.d(5)
 * @throws {ConfigInvalid} where AppArmor is off
 * @throws {LibcontainerError} `ProfileRefused` with what the parser says of the text
 * @throws {SyscallError} `ENOENT` without `apparmor_parser`
 */
export async function loadProfile(profile: string | ProfileRules, options: LoadOptions = {}): Promise<LoadResult> {
  const text = typeof profile === 'string' ? profile : profileText(profile)
  const { enabled, reason } = await status()
  if (!enabled)
    throw new ConfigInvalid('profile', typeof profile === 'string' ? text : profile.name, `cannot be loaded: ${reason}`)
  const { cache = CACHE, namespace, parser, signal } = options
  if (namespace !== undefined && !/^[\w.-]+$/.test(namespace))
    throw new ConfigInvalid('namespace', namespace, 'must be a word')
  await makeDirectory(cache, { mode: 0o700, parents: true })
  const path = `${cache}/${shortHash(text)}`
  // Who writes it again makes the parser compile it again.
  if ((await readTextIfPresent(path)) !== text) {
    const aside = generateRandomName(`${path}.`, 16)
    await writeText(aside, text, { mode: 0o600 })
    await rename(aside, path)
  }
  const into = namespace === undefined ? [] : [`--namespace=${namespace}`]
  const kept = ['--write-cache', `--cache-loc=${cache}/compiled`]
  await runParser(['--replace', ...kept, ...into, '--quiet', path], { parser, signal })
  return { path }
}

/** Whether the kernel has a profile of this name: `docker-default`, `:namespace:name`. */
export async function isLoaded(name: string): Promise<boolean> {
  checkProfileName(name, 'name')
  const wanted = parseProfileName(name)
  return (await listProfiles()).some(profile => profile.name === wanted.name && profile.namespace === wanted.namespace)
}

/**
 * Takes a profile out of the kernel: processes under it are unconfined then. One that is not loaded is fine.
 *
 * @param name - also `:namespace:name`; `:namespace:` is the namespace with all that is in it
 * @throws {SyscallError} `EACCES` without CAP_MAC_ADMIN
 */
export async function removeProfile(name: string): Promise<void> {
  checkProfileName(name, 'name')
  if (!(await status()).enabled) return
  try {
    await writeText(`${SECURITYFS}/.remove`, name, { flags: O_WRONLY })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error
    throw new SyscallError((error as SyscallError).errno, 'write', {
      path: `${SECURITYFS}/.remove`,
      hint: 'it needs CAP_MAC_ADMIN in the user namespace of the policy',
    })
  }
}
