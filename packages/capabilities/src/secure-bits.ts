import { ConfigInvalid } from '@libcontainer/sys'

/** The secure bits of capabilities(7), each with its lock; the index is the bit. The last four: Linux 6.14. */
export const SECURE_BITS = [
  'NOROOT',
  'NOROOT_LOCKED',
  'NO_SETUID_FIXUP',
  'NO_SETUID_FIXUP_LOCKED',
  'KEEP_CAPS',
  'KEEP_CAPS_LOCKED',
  'NO_CAP_AMBIENT_RAISE',
  'NO_CAP_AMBIENT_RAISE_LOCKED',
  'EXEC_RESTRICT_FILE',
  'EXEC_RESTRICT_FILE_LOCKED',
  'EXEC_DENY_INTERACTIVE',
  'EXEC_DENY_INTERACTIVE_LOCKED',
] as const

export type SecureBit = (typeof SECURE_BITS)[number]

/**
 * Names as the number that prctl(PR_SET_SECUREBITS) takes. With or without `SECBIT_`, in any case.
 *
 * @throws {ConfigInvalid} for an unknown name
 */
export function parseSecureBits(names: readonly string[], field = 'secureBits'): number {
  let bits = 0
  names.forEach((name, i) => {
    const ascii = typeof name === 'string' && /^[A-Za-z_]+$/.test(name) ? name.toUpperCase() : ''
    const index = SECURE_BITS.indexOf(ascii.replace(/^SECBIT_/, '') as SecureBit)
    if (index < 0) throw new ConfigInvalid(`${field}[${i}]`, name, `must be one of ${SECURE_BITS.join(', ')}`)
    bits |= 1 << index
  })
  return bits
}

/** The names of the secure bits that are set. */
export function formatSecureBits(bits: number): SecureBit[] {
  return SECURE_BITS.filter((_, index) => bits & (1 << index))
}
