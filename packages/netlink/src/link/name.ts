import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'

/** Most bytes of a link's name: IFNAMSIZ without the NUL. */
export const MAX_LINK_NAME = 15
/** Most bytes of an alternative name: ALTIFNAMSIZ without the NUL. */
export const MAX_ALTERNATIVE_NAME = 127
/** Most bytes of an alias: IFALIASZ without the NUL. */
export const MAX_ALIAS = 255

export interface LinkNameOptions {
  /** Lets one `%d` pass, for which the kernel puts the lowest free number. Default: `false`. */
  template?: boolean
}

/**
 * A name that a link can have: dev_valid_name() of the kernel, and no `%`, since `%d` in it is the kernel's pattern.
 *
 * @throws {ConfigInvalid} that names `field`
 */
export function checkLinkName(name: string, field = 'name', { template = false }: LinkNameOptions = {}): string {
  checkName(name, MAX_LINK_NAME, field)
  // __dev_alloc_name: one pattern, of this letter, and nothing else that begins with a percent sign.
  if (name.includes('%') && !(template && /^[^%]*%d[^%]*$/.test(name)))
    throw new ConfigInvalid(
      field,
      name,
      template ? 'must hold no % but one %d' : 'must not hold a %: %d is a pattern of the kernel',
    )
  return name
}

/** An alternative name: as a name, but up to 127 bytes. */
export function checkAlternativeName(name: string, field = 'alternativeName'): string {
  checkName(name, MAX_ALTERNATIVE_NAME, field)
  if (name.includes('%')) throw new ConfigInvalid(field, name, 'must not hold a %: %d is a pattern of the kernel')
  return name
}

/** An alias, which is any text. An empty one takes the alias away. */
export function checkAlias(alias: string, field = 'alias'): string {
  if (encodeUtf8(kernelString(alias, field)).length > MAX_ALIAS)
    throw new ConfigInvalid(field, alias, `must have at most ${MAX_ALIAS} bytes`)
  return alias
}

function checkName(name: string, most: number, field: string): void {
  const { length } = encodeUtf8(kernelString(name, field))
  if (length === 0 || length > most) throw new ConfigInvalid(field, name, `must have 1 to ${most} bytes`)
  if (name === '.' || name === '..')
    throw new ConfigInvalid(field, name, 'must not be . or ..: the name is one of a directory in /sys')
  // isspace() of the kernel takes bytes as Latin-1, in which 0xa0 is a space, too: also where it is a byte of a longer character.
  const bad = encodeUtf8(name).find(
    byte => byte === 0x2f || byte === 0x3a || byte === 0x20 || byte === 0xa0 || (byte > 8 && byte < 14),
  )
  if (bad !== undefined) throw new ConfigInvalid(field, name, 'must hold no slash, no colon and no white space')
}
