/** The result of an earlier step, or what the answer to a rendezvous brought: a descriptor, a number or bytes. */
export interface Slot {
  readonly slot: string
}

/** Names a slot as an argument: `arg(root)` where an earlier step said `into: 'root'`. */
export function slot(name: string): Slot {
  return { slot: name }
}

/** An argument of an op: an integer (a descriptor too), a string without NUL, bytes, or a slot that holds one of them. */
export type Arg = number | bigint | string | Uint8Array | Slot

/**
 * One act on the kernel, as data: what a plan is a list of.
 *
 * A step names an op of a native table and its arguments in the op's order. It has one way to branch: `onError`.
 */
export interface Step {
  /** The op's name in its table, such as `mountFilesystem`. */
  readonly op: string
  readonly args: readonly Arg[]
  /** What the step does, in words for an error or a printed plan: `mount proc on /proc`. */
  readonly about: string
  /** The path that an error should name. */
  readonly path?: string | undefined
  /** What an error tells beside the step: what was asked for in full. */
  readonly detail?: string | undefined
  /** What the reader of an error can do, by errno's name; `'*'` for any. */
  readonly hints?: Readonly<Record<string, string>> | undefined
  /** The slot that receives the result. */
  readonly into?: string | undefined
  /** What to do instead when the kernel answers this errno: another step, or nothing. */
  readonly onError?: Readonly<Record<string, Step | 'skip'>> | undefined
}
