import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'

/** In bytes, without the NUL: KEY_MAX_DESC_SIZE of the kernel, and the 32 that it takes of a type. */
const MAX_DESCRIPTION = 4095
const MAX_TYPE = 31

/** Highest serial number, and id of a user. */
const MAX_SERIAL = 0x7fffffff
const MAX_ID = 0xfffffffe

/**
 * The name of a keyring that may be made: 1 to 4095 bytes, and no dot in front, which the kernel keeps for its own.
 *
 * @throws {ConfigInvalid} that names `field`
 */
export function checkKeyringName(name: string, field = 'name'): string {
  checkSize(name, MAX_DESCRIPTION, field)
  if (name.startsWith('.'))
    throw new ConfigInvalid(field, name, 'must not begin with a dot: the kernel keeps those names')
  return name
}

export function checkType(type: string): string {
  checkSize(type, MAX_TYPE, 'type')
  if (type.startsWith('.'))
    throw new ConfigInvalid('type', type, 'must not begin with a dot: those types are the kernel’s')
  return type
}

/** A keyring's is a name. Of an X.509 certificate (`asymmetric`) an empty one is read from the certificate. */
export function checkDescription(type: string, description: string): string {
  if (type === 'keyring') return checkKeyringName(description, 'description')
  if (type === 'asymmetric' && description === '') return description
  return checkSize(description, MAX_DESCRIPTION, 'description')
}

export function checkSerial(key: number, field = 'key'): number {
  return checkInteger(key, 1, MAX_SERIAL, field)
}

/** An id, or -1 where it is to stay or means the caller's. */
export function checkId(id: number | undefined, field: string): number {
  return id === undefined ? -1 : checkInteger(id, 0, MAX_ID, field)
}

export function checkInteger(value: number, low: number, high: number, field: string): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw new ConfigInvalid(field, value, `must be an integer from ${low} to ${high}`)
}

function checkSize(text: string, most: number, field: string): string {
  const { length } = encodeUtf8(kernelString(text, field))
  if (length > 0 && length <= most) return text
  throw new ConfigInvalid(field, text, `must have 1 to ${most} bytes`)
}
