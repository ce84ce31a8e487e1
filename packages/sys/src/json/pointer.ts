/** A name in quotes, an index, or a plain name: what a field is made of. */
const parts = /\['(.*)'\]|\[(\d+)\]|([^.[]+)/g

/**
 * The place of a field in its document, by RFC 6901: `/mounts/2/options/0` for `mounts[2].options[0]`, `/sysctl/net.core.x` for
 * `sysctl['net.core.x']`. The document itself, which errors call `config`, is the empty pointer.
 */
export function jsonPointer(field: string): string {
  if (field === 'config') return ''
  return Array.from(field.matchAll(parts), ([, quoted, index, name]) => `/${escaped(quoted ?? index ?? name!)}`).join(
    '',
  )
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** A key of an object as a field names it, below `at`: in quotes where it is no plain name. */
export function fieldName(key: string, at = ''): string {
  if (!/^[\w-]+$/.test(key)) return `${at}['${key}']`
  return at === '' ? key : `${at}.${key}`
}
