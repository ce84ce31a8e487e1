import type { FileCapabilities } from './file-attribute.js'
import type { CapabilityMasks } from './masks.js'
import type { SecureBit } from './secure-bits.js'

/** Who executes what. Ids are those of the user namespace of the process. */
export interface Execution {
  /** The user id of the process, real and effective. Default: 0. */
  readonly uid?: number | undefined
  /** The owner of a set-user-id program. Default: it is none. */
  readonly setuid?: number | undefined
  /** The capabilities of the program's file, as far as they hold there. Default: none. */
  readonly file?: FileCapabilities | undefined
  /** The secure bits of the process. Default: none. */
  readonly secureBits?: readonly SecureBit[] | undefined
  /** Whether the process has no_new_privs. Default: `false`. */
  readonly noNewPrivileges?: boolean | undefined
}

/**
 * What a process has when it has executed a program: capabilities(7), "Transformation of capabilities during execve()". Pure.
 *
 * A program on a file system that is mounted nosuid is none of set-user-id, and has no capabilities of its own.
 *
 * @returns `undefined` where the kernel refuses to execute it (`EPERM`): its file wants effective what the bounding set has not
 */
export function capabilitiesAfterExec(
  before: CapabilityMasks,
  { uid = 0, setuid = uid, file, secureBits = [], noNewPrivileges = false }: Execution = {},
): CapabilityMasks | undefined {
  const euid = noNewPrivileges ? uid : setuid
  const given = file === undefined ? 0n : (file.permitted & before.bounding) | (file.inheritable & before.inheritable)
  if (file?.effective && (file.permitted & ~given) !== 0n) return undefined

  // A set-user-id program that has capabilities of its own gets those, unless root itself executes it.
  const ownCount = file !== undefined && uid !== 0 && euid === 0
  const asRoot = !secureBits.includes('NOROOT') && !ownCount
  const all = before.bounding | before.inheritable
  const gained = asRoot && (uid === 0 || euid === 0) ? all : given
  const ambient = file !== undefined || euid !== uid ? 0n : before.ambient
  const permitted = (noNewPrivileges ? gained & before.permitted : gained) | ambient
  const effective = file?.effective || (asRoot && euid === 0) ? permitted : ambient
  return { ...before, permitted, effective, ambient }
}
