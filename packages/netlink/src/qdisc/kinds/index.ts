import type { FqCodelOptions } from './fq-codel.js'
import { fqCodel } from './fq-codel.js'
import { type HtbClassOptions, type HtbOptions, htb, htbClass } from './htb.js'
import type { QdiscKind } from './kind.js'
import { type NetemOptions, netem } from './netem.js'
import { type TbfOptions, tbf } from './tbf.js'

/** Options by the kind of queueing discipline that has them. */
export interface QdiscKindOptions {
  tbf: TbfOptions
  netem: NetemOptions
  htb: HtbOptions
  fq_codel: FqCodelOptions
}

/** Options of classes by the kind of their discipline. */
export interface ClassKindOptions {
  htb: HtbClassOptions
}

/** A kind is a line here, and a file. */
export const qdiscKinds: { readonly [K in keyof QdiscKindOptions]: QdiscKind<QdiscKindOptions[K]> } = {
  tbf,
  netem,
  htb,
  fq_codel: fqCodel,
}

export const classKinds: { readonly [K in keyof ClassKindOptions]: QdiscKind<ClassKindOptions[K]> } = {
  htb: htbClass,
}
