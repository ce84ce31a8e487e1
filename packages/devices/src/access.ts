import { ConfigInvalid } from '@libcontainer/sys'

/** What may be done with a device: some of `r` (read), `w` (write) and `m` (make its node), in this order; `''` is nothing. */
export type Access = string

const LETTERS = ['r', 'w', 'm'] as const

/** Whether `access` holds no letter but r, w and m. */
export function accessIsValid(access: string): boolean {
  return typeof access === 'string' && /^[rwm]*$/.test(access)
}

/** Whether it has no letter: nothing is allowed. */
export function accessIsEmpty(access: Access): boolean {
  return access === ''
}

/** The letters of either. */
export function accessUnion(a: Access, b: Access): Access {
  return pick(letter => a.includes(letter) || b.includes(letter))
}

/** The letters of `a` that are not in `b`. */
export function accessDifference(a: Access, b: Access): Access {
  return pick(letter => a.includes(letter) && !b.includes(letter))
}

/** The letters of both. */
export function accessIntersection(a: Access, b: Access): Access {
  return pick(letter => a.includes(letter) && b.includes(letter))
}

/**
 * Letters in any order, each once in the usual one.
 *
 * @throws {ConfigInvalid} for another letter, or none
 */
export function normalAccess(access: unknown, field = 'access'): Access {
  if (typeof access !== 'string' || access === '' || !accessIsValid(access)) {
    throw new ConfigInvalid(field, access, 'must be some of the letters r, w and m')
  }
  return accessUnion(access, '')
}

function pick(want: (letter: string) => boolean): Access {
  return LETTERS.filter(want).join('')
}
