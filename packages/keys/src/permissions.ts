import { ConfigInvalid } from '@libcontainer/sys'

/** What may be done with a key, in the order of the bits: keyrings(7), keyctl_setperm(3). */
export const KEY_RIGHTS = Object.freeze(['view', 'read', 'write', 'search', 'link', 'setattr'] as const)
export type KeyRight = (typeof KEY_RIGHTS)[number]

/** Who may: whoever has it in a keyring that he may search, its owner, its group, everybody. Of the last three one holds, and the first beside it. */
export const KEY_HOLDERS = Object.freeze(['other', 'group', 'user', 'possessor'] as const)
export type KeyHolder = (typeof KEY_HOLDERS)[number]

export type KeyPermissions = Readonly<Record<KeyHolder, readonly KeyRight[]>>

/** The number of permissions: `keyPermissions({ possessor: ['view'] })` is 0x01000000. Who is not named may nothing. */
export function keyPermissions(permissions: Partial<KeyPermissions>): number {
  let mask = 0
  for (const [holder, rights] of Object.entries(permissions)) {
    const place = KEY_HOLDERS.indexOf(holder as KeyHolder)
    if (place < 0) throw new ConfigInvalid('permissions', holder, `must be of ${KEY_HOLDERS.join(', ')}`)
    if (!Array.isArray(rights)) throw new ConfigInvalid(`permissions.${holder}`, rights, 'must be a list of rights')
    for (const [i, right] of rights.entries()) {
      const bit = KEY_RIGHTS.indexOf(right)
      if (bit < 0)
        throw new ConfigInvalid(`permissions.${holder}[${i}]`, right, `must be one of ${KEY_RIGHTS.join(', ')}`)
      mask |= 1 << (place * 8 + bit)
    }
  }
  return mask
}

/** What a number of permissions says, each holder's rights in the order of {@link KEY_RIGHTS}; bits without a meaning are left out. */
export function parseKeyPermissions(mask: number): KeyPermissions {
  checkKeyMask(mask, 'permissions')
  const rights = (holder: KeyHolder): KeyRight[] =>
    KEY_RIGHTS.filter((_, bit) => (mask >>> (KEY_HOLDERS.indexOf(holder) * 8 + bit)) & 1)
  return { possessor: rights('possessor'), user: rights('user'), group: rights('group'), other: rights('other') }
}

/** Permissions by number or by name, as a number. */
export function keyMask(permissions: number | Partial<KeyPermissions>, field = 'permissions'): number {
  return typeof permissions === 'number' ? checkKeyMask(permissions, field) : keyPermissions(permissions)
}

const ALL = 0x3f3f3f3f

function checkKeyMask(mask: number, field: string): number {
  if (Number.isInteger(mask) && mask >= 0 && (mask & ~ALL) === 0 && mask <= ALL) return mask
  throw new ConfigInvalid(field, mask, 'must be a number within 0x3f3f3f3f')
}
