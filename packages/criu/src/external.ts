import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import type { TreeOptions } from './options.js'

/** `kind[id]` and what follows: CRIU takes the first `]` for the end of the id, and has no way to write one in it. */
const FORM = /^[a-z]+\[[^\]]*\](?::.*)?$/s

/** Bytes that CRIU does not read back as they were written. */
const hasBreak = (text: string): boolean =>
  Array.from(text).some(letter => letter < ' ' || letter === ']' || letter === '\u007f')

/** Refuses what CRIU would read as another external thing, or as none. */
export function checkExternal(word: string, field: string): void {
  if (!FORM.test(kernelString(word, field)))
    throw new ConfigInvalid(
      field,
      word,
      'must be a kind with an id in brackets: mnt[…]:key, net[…]:key, file[…], unix[…]',
    )
  const id = word.slice(word.indexOf('[') + 1, word.indexOf(']'))
  if (hasBreak(id)) throw new ConfigInvalid(field, word, 'must not have control characters in its id')
}

/**
 * Refuses keys of external mounts that end early for CRIU: what stands behind a `]` in a name that an image chose would choose what is mounted there.
 *
 * @param cookie - which of the two CRIU keeps: on dump the mount point and the key, on restore the key alone
 */
export function checkExtMnt(extMnt: TreeOptions['extMnt'], { cookie }: { readonly cookie: 'key' | 'both' }): void {
  for (const [i, { key, val }] of (extMnt ?? []).entries()) {
    for (const [name, text] of Object.entries({ key, val })) {
      const field = `extMnt[${i}].${name}`
      if (kernelString(text, field) === '') throw new ConfigInvalid(field, text, 'must not be empty')
      if ((name === 'key' || cookie === 'both') && hasBreak(text))
        throw new ConfigInvalid(field, text, 'must have no ] and no control characters: CRIU could not read it back')
    }
  }
}
