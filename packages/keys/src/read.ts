import { checked, decodeUtf8, LibcontainerError } from '@libcontainer/sys'
import { checkSerial } from './check.js'
import { type Keyring, keyringId } from './keyrings.js'
import { native } from './native.js'

/** What the kernel tells of a key. */
export interface KeyDescription {
  readonly type: string
  readonly uid: number
  readonly gid: number
  /** As a number: `parseKeyPermissions` has it in words. */
  readonly permissions: number
  readonly description: string
}

/** `user;0;0;3f010000;name`, as the kernel writes it; a semicolon in the name is part of it. */
export function parseKeyDescription(text: string): KeyDescription {
  const [, type, uid, gid, permissions, description] =
    /^([^;]*);(-?\d+);(-?\d+);([0-9a-f]{1,8});(.*)$/s.exec(text) ?? []
  if (description === undefined) {
    throw new LibcontainerError('ERR_KEY_DESCRIPTION', `the kernel's description of a key is none: ${text}`)
  }
  // The kernel writes ids as if they had a sign.
  const [owner, group] = [Number(uid) >>> 0, Number(gid) >>> 0]
  return { type: type!, uid: owner, gid: group, permissions: Number.parseInt(permissions!, 16), description }
}

/** Type, owner, permissions and name of a key. @see keyctl_describe(3) */
export async function describeKey(key: Keyring): Promise<KeyDescription> {
  const id = await keyringId(key, 'key')
  const bytes = await whole(buffer => native.async.describeKey(id, buffer), 'keyctl(DESCRIBE)')
  return parseKeyDescription(decodeUtf8(bytes).replace(/\0$/, ''))
}

/**
 * The payload of a key.
 *
 * @throws {SyscallError} `EOPNOTSUPP` for a type that is never read, such as `logon`; `EACCES`, `EKEYREVOKED`, `EKEYEXPIRED`
 * @see keyctl_read(3)
 */
export async function readKey(key: number): Promise<Uint8Array> {
  const id = checkSerial(key)
  return await whole(buffer => native.async.readKey(id, buffer), 'keyctl(READ)')
}

/** The serial numbers of what is linked to a keyring. */
export async function readKeyring(keyring: Keyring): Promise<number[]> {
  const bytes = await readKey(await keyringId(keyring))
  return [...new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))]
}

/** Asked again with more room, as long as what is there grows: the kernel tells how much there is. */
async function whole(ask: (buffer: Uint8Array) => Promise<number>, call: string): Promise<Uint8Array> {
  for (let room = 1024; ; ) {
    const buffer = new Uint8Array(room)
    const size = checked(await ask(buffer), call)
    if (size <= room) return buffer.subarray(0, size)
    room = size
  }
}
