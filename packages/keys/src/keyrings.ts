import { ConfigInvalid, checked, type Step } from '@libcontainer/sys'
import { checkId, checkKeyringName, checkSerial } from './check.js'
import { native } from './native.js'
import { type KeyPermissions, keyMask } from './permissions.js'

/**
 * Keyrings that every process has: that of the session it belongs to (where it was given none, it is `user-session`), of its user, and the
 * session keyring of its user. Those of a thread and of a process are not here: the calls of this package are made by threads of its own.
 *
 * @see session-keyring(7), user-keyring(7), user-session-keyring(7)
 */
export const SPECIAL_KEYRINGS = Object.freeze({ session: -3, user: -4, 'user-session': -5 } as const)
export type SpecialKeyring = keyof typeof SPECIAL_KEYRINGS

/** A keyring: one that every process has, or a serial number. */
export type Keyring = SpecialKeyring | number

/**
 * The serial number of a keyring.
 *
 * @throws {ConfigInvalid} for what is no keyring
 */
export async function keyringId(keyring: Keyring, field = 'keyring'): Promise<number> {
  if (typeof keyring === 'number') return checkSerial(keyring, field)
  if (!Object.hasOwn(SPECIAL_KEYRINGS, keyring)) {
    const names = Object.keys(SPECIAL_KEYRINGS).join(', ')
    throw new ConfigInvalid(field, keyring, `must be a serial number, or one of ${names}`)
  }
  return checked(await native.async.keyringId(SPECIAL_KEYRINGS[keyring]), 'keyctl(GET_KEYRING_ID)')
}

/** 0 is none. */
export async function optionalKeyring(keyring: Keyring | undefined, field: string): Promise<number> {
  return keyring === undefined ? 0 : await keyringId(keyring, field)
}

/**
 * A keyring of a user that outlives his sessions, and expires when it is not used: it is linked to `keyring`, or made first.
 *
 * @param uid - another user's needs `CAP_SETUID`. Default: this process's
 * @returns its serial number
 * @throws {SyscallError} `EOPNOTSUPP` where the kernel was built without
 * @see persistent-keyring(7)
 */
export async function persistentKeyring(keyring: Keyring, { uid }: { uid?: number } = {}): Promise<number> {
  const id = checkId(uid, 'uid')
  return checked(await native.async.persistentKeyring(id, await keyringId(keyring)), 'keyctl(GET_PERSISTENT)')
}

export interface JoinSessionKeyringOptions {
  /** Joins one of this user's that is there and leaves its permissions as they are; where there is none, makes one. Default: `false` */
  existing?: boolean | undefined
  /**
   * What is permitted beside what a new one permits by itself, such as `{ other: ['search'] }`. Whoever is to join it later must be permitted
   * to search it. Default: `{ user: ['search'] }`
   */
  permit?: Partial<KeyPermissions> | undefined
}

/**
 * A step for `init`: a session keyring of that name in place of the parent's: what the parent's session holds is out of reach from then on.
 * Its owner is the user who applies the step. A kernel without keyrings has none to share either, and is passed over.
 *
 * The kernel would join whatever keyring of that name may be searched, whoever has put it there, and share it. Another user's
 * is `EEXIST`, and where a new one is wanted, one of this user's is revoked: whoever ended under that name leaves it for a moment.
 *
 * @throws {ConfigInvalid} for what is no name of a keyring
 * @see keyctl_join_session_keyring(3)
 */
export function joinSessionKeyring(name: string, options: JoinSessionKeyringOptions = {}): Step {
  const { existing = false, permit = { user: ['search'] } } = options
  return {
    op: 'joinSessionKeyring',
    args: [checkKeyringName(name), existing ? -1 : keyMask(permit, 'permit')],
    about: `${existing ? 'join' : 'make'} the session keyring ${name}`,
    onError: { ENOSYS: 'skip' },
    hints: {
      EEXIST: 'another user has a keyring of this name, and would share it: see /proc/keys, and take another name',
      EDQUOT:
        'the user has too many keys: see /proc/key-users, and the sysctls kernel.keys.maxkeys and kernel.keys.root_maxkeys',
      EPERM: 'a seccomp filter around this process may refuse keyrings: do without one of its own',
    },
  }
}
