import { ConfigInvalid, checked, decodeUtf8 } from '@libcontainer/sys'
import { native } from './native.js'

/** What a thread's files below attr are of: proc_pid_attr(5). */
export const LABEL_KINDS = ['current', 'exec', 'fscreate', 'keycreate', 'sockcreate', 'prev'] as const

/**
 * Which label: that in force; that of what is executed next; those of the files, keys and sockets that are made from now on; that before the last
 * exec.
 */
export type LabelKind = (typeof LABEL_KINDS)[number]

/** What a label may take: a page. */
export const LABEL_SIZE = 4096

export const labelText = (bytes: Uint8Array): string => decodeUtf8(bytes).replace(/[\0\n].*$/s, '')

export function checkKind(kind: LabelKind): LabelKind {
  if (!LABEL_KINDS.includes(kind)) throw new ConfigInvalid('kind', kind, `must be one of ${LABEL_KINDS.join(', ')}`)
  return kind
}

/** A label of the calling thread, whatever module it is of; `''` for none. */
export function readThreadLabel(kind: LabelKind): string {
  const buffer = new Uint8Array(LABEL_SIZE)
  const size = native.sync.getThreadLabel(checkKind(kind), buffer)
  // Without a module that has labels there is nothing to read: EINVAL; without any, no such file.
  if (size === -22 || size === -2) return ''
  return labelText(buffer.subarray(0, checked(size, 'read', `/proc/thread-self/attr/${kind}`)))
}
