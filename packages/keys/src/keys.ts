import { ConfigInvalid, checked, encodeUtf8, isErrno, kernelString, onAbort, type Waiting } from '@libcontainer/sys'
import { checkDescription, checkId, checkInteger, checkSerial, checkType } from './check.js'
import { type Keyring, keyringId, optionalKeyring } from './keyrings.js'
import { native } from './native.js'
import { type KeyPermissions, keyMask } from './permissions.js'

/** In bytes: what the kernel takes of any type. Types have less: `user` and `logon` 32767. */
const MAX_PAYLOAD = 1024 * 1024 - 1

/**
 * Adds a key to a keyring. One of that type and description in it gets the payload instead, where its type can be updated.
 *
 * @param type - `user` (for anything), `logon` (that no program reads), `big_key` (up to 1 MiB), `keyring`, or another that the kernel has
 * @param description - its name, 1 to 4095 bytes; of a `logon` key with a colon, `service:name`
 * @returns the serial number
 * @throws {SyscallError} `EDQUOT` where its owner has too many, `EACCES` where the keyring may not be written to, `ENODEV` for a type that the kernel has not
 * @see add_key(2)
 */
export async function addKey(
  type: string,
  description: string,
  payload: string | Uint8Array,
  keyring: Keyring,
): Promise<number> {
  const [kind, name, bytes] = [checkType(type), checkDescription(type, description), checkPayload(payload)]
  return checked(await native.async.addKey(kind, name, bytes, await keyringId(keyring)), 'add_key')
}

/** Makes a keyring in another one, or empties the one of this name there. @returns the serial number */
export async function addKeyring(name: string, keyring: Keyring): Promise<number> {
  return await addKey('keyring', name, '', keyring)
}

export interface FindOptions {
  /** The keyring that gets a link to what is found. Default: none. */
  linkTo?: Keyring | undefined
}

export interface RequestOptions extends FindOptions, Waiting {
  /** Has the kernel run /sbin/request-key for a key that is nowhere, and gives this to it. Default: no program is run */
  callout?: string | undefined
}

/**
 * Looks for a key in the keyrings of this process.
 *
 * @param options.signal - ends the wait for a program that makes the key; the program itself goes on
 * @returns the serial number, or `undefined` where there is none
 * @throws {SyscallError} `EKEYREVOKED`, `EKEYEXPIRED`, `EKEYREJECTED` for one that is no longer good; with `callout`, `ENOENT` where there is no such program
 * @see request_key(2)
 */
export async function requestKey(
  type: string,
  description: string,
  { callout, linkTo, signal }: RequestOptions = {},
): Promise<number | undefined> {
  const [kind, name] = [checkType(type), checkDescription(type, description)]
  const text = kernelString(callout ?? '', 'callout')
  const to = await optionalKeyring(linkTo, 'linkTo')
  signal?.throwIfAborted()
  const answer = native.async.requestKey(kind, name, text, callout === undefined ? 0 : 1, to)
  return found(await unlessAborted(answer, signal), 'request_key')
}

/**
 * Looks for a key in a keyring and those that are linked to it.
 *
 * @returns the serial number, or `undefined` where there is none
 * @see keyctl_search(3)
 */
export async function searchKeyring(
  keyring: Keyring,
  type: string,
  description: string,
  { linkTo }: FindOptions = {},
): Promise<number | undefined> {
  const [kind, name] = [checkType(type), checkDescription(type, description)]
  const to = await optionalKeyring(linkTo, 'linkTo')
  return found(await native.async.searchKeyring(await keyringId(keyring), kind, name, to), 'keyctl(SEARCH)')
}

/** Gives a key another payload. @see keyctl_update(3) */
export async function updateKey(key: number, payload: string | Uint8Array): Promise<void> {
  checked(await native.async.updateKey(checkSerial(key), checkPayload(payload)), 'keyctl(UPDATE)')
}

/** Makes a key useless: whoever asks for it gets `EKEYREVOKED`. @see keyctl_revoke(3) */
export async function revokeKey(key: number): Promise<void> {
  checked(await native.async.revokeKey(checkSerial(key)), 'keyctl(REVOKE)')
}

/** Removes a key from wherever it is. @see keyctl_invalidate(3) */
export async function invalidateKey(key: number): Promise<void> {
  checked(await native.async.invalidateKey(checkSerial(key)), 'keyctl(INVALIDATE)')
}

/** Removes all links from a keyring. @see keyctl_clear(3) */
export async function clearKeyring(keyring: Keyring): Promise<void> {
  checked(await native.async.clearKeyring(await keyringId(keyring)), 'keyctl(CLEAR)')
}

/** Links a key to a keyring, in place of another of its type and description. @see keyctl_link(3) */
export async function linkKey(key: Keyring, keyring: Keyring): Promise<void> {
  const [what, to] = [await keyringId(key, 'key'), await keyringId(keyring)]
  checked(await native.async.linkKey(what, to), 'keyctl(LINK)')
}

/** Takes a key out of a keyring; the kernel forgets a key that is in none. @see keyctl_unlink(3) */
export async function unlinkKey(key: Keyring, keyring: Keyring): Promise<void> {
  const [what, from] = [await keyringId(key, 'key'), await keyringId(keyring)]
  checked(await native.async.unlinkKey(what, from), 'keyctl(UNLINK)')
}

/**
 * Takes a key out of a keyring into another, at once. Since Linux 5.3.
 *
 * @param options.exclusive - `EEXIST` where one of its type and description is there, which else is replaced. Default: `false`
 * @see keyctl_move(3)
 */
export async function moveKey(
  key: number,
  from: Keyring,
  to: Keyring,
  { exclusive = false }: { exclusive?: boolean } = {},
): Promise<void> {
  const [source, target] = [await keyringId(from, 'from'), await keyringId(to, 'to')]
  const flags = exclusive ? 1 : 0
  checked(await native.async.moveKey(checkSerial(key), source, target, flags), 'keyctl(MOVE)')
}

/** Lets a key expire. @param seconds - from now on; 0 for never. @see keyctl_set_timeout(3) */
export async function setKeyTimeout(key: number, seconds: number): Promise<void> {
  checkInteger(seconds, 0, 0xffffffff, 'seconds')
  checked(await native.async.setKeyTimeout(checkSerial(key), seconds), 'keyctl(SET_TIMEOUT)')
}

/** Sets what is permitted, by number or by name. @see keyctl_setperm(3) */
export async function setKeyPermissions(key: number, permissions: number | Partial<KeyPermissions>): Promise<void> {
  const mask = keyMask(permissions)
  checked(await native.async.setKeyPermissions(checkSerial(key), mask), 'keyctl(SETPERM)')
}

/**
 * Changes what is permitted to what it is, but for what is not in `keep`, and with `add`.
 *
 * @returns what is permitted now
 */
export async function modifyKeyPermissions(
  key: number,
  keep: number | Partial<KeyPermissions>,
  add: number | Partial<KeyPermissions>,
): Promise<number> {
  const [kept, added] = [keyMask(keep, 'keep'), keyMask(add, 'add')]
  return checked(await native.async.modifyKeyPermissions(checkSerial(key), kept, added), 'keyctl(SETPERM)')
}

/** Changes the owner or the group. An owner needs `CAP_SYS_ADMIN`. @see keyctl_chown(3) */
export async function changeKeyOwner(key: number, { uid, gid }: { uid?: number; gid?: number }): Promise<void> {
  const [owner, group] = [checkId(uid, 'uid'), checkId(gid, 'gid')]
  checked(await native.async.changeKeyOwner(checkSerial(key), owner, group), 'keyctl(CHOWN)')
}

function checkPayload(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload
  if (!(bytes instanceof Uint8Array)) throw new ConfigInvalid('payload', payload, 'must be a string or bytes')
  if (bytes.length > MAX_PAYLOAD) {
    throw new ConfigInvalid('payload', `${bytes.length} bytes`, `must not be longer than ${MAX_PAYLOAD} bytes`)
  }
  return bytes
}

function found(answer: number, call: string): number | undefined {
  try {
    return checked(answer, call)
  } catch (error) {
    if (isErrno(error, 'ENOKEY')) return undefined
    throw error
  }
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer
  return new Promise((resolve, reject) => {
    const deaf = onAbort(signal, () => reject(signal.reason))
    answer.then(resolve, reject).finally(deaf)
  })
}
