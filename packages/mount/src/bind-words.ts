import { exactChange, namedChange, packAttributes } from './attributes.js'
import { HOW, MS } from './flags.js'
import type { AttributeChange, ParsedOptions } from './options.js'
import { packPropagation } from './propagation.js'

/** What the words of a bind come to: many have the same, and an engine that only interprets is slow with numbers of 64 bits. */
export interface BindWords {
  readonly exact: AttributeChange
  readonly named: AttributeChange
  /** Nothing is cleared that no word names. */
  readonly same: boolean
  readonly packedExact: bigint
  readonly packedNamed: bigint
  readonly recursive: bigint
  readonly propagation: bigint
  readonly how: number
}

const known = new WeakMap<ParsedOptions, BindWords>()

export function bindWords(options: ParsedOptions): BindWords {
  const before = known.get(options)
  if (before !== undefined) return before
  const { flags, extensions, recursive, propagation } = options
  const exact = exactChange(options)
  const named = namedChange(options)
  const words = {
    exact,
    named,
    same: exact.set === named.set && exact.clear === named.clear,
    packedExact: packAttributes(exact),
    packedNamed: packAttributes(named),
    recursive: packAttributes(recursive),
    propagation: packPropagation(propagation),
    how:
      (flags & MS.REC ? HOW.RECURSIVE : 0) |
      (extensions.has('dest-nofollow') ? HOW.TARGET_LINK : 0) |
      (extensions.has('src-nofollow') ? HOW.SOURCE_LINK : 0) |
      (extensions.has('src-inside') ? HOW.SOURCE_INSIDE : 0) |
      (extensions.has('copy-symlink') ? HOW.COPY_LINK : 0),
  }
  known.set(options, words)
  return words
}
