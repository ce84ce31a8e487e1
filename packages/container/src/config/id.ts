import { ContainerError } from '../errors.js'

/** The alphabet of ids; a file name, and the name of cgroups and systemd units, holds at most 255 bytes. */
const ALPHABET = /^[A-Za-z0-9_+.-]+$/
const MAX = 255

/** Refuses an id that is no safe file name. @throws {ContainerError} `InvalidIdFormat` */
export function checkId(id: string): void {
  const refuse = (why: string): never => {
    throw new ContainerError('InvalidIdFormat', `container id ${why}`, {
      hint: 'ids are 1 to 255 of A-Z a-z 0-9 _ + - . and neither . nor ..',
    })
  }
  if (typeof id !== 'string') refuse('must be a string')
  if (id === '') refuse('cannot be empty')
  if (id.length > MAX) refuse(`is too long: ${id.length} characters`)
  if (id === '.' || id === '..' || !ALPHABET.test(id)) refuse(`is not valid: ${JSON.stringify(id)}`)
}
