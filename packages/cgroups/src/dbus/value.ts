/** A value with its own type. */
export interface Variant {
  /** One complete type, such as `t` or `a(ss)`. */
  readonly type: string
  readonly value: DBusValue
}

/**
 * A value of D-Bus: numbers for `y n q i u h d`, bigints for `x t` (numbers are taken, too), booleans for `b`, strings for `s o g`, bytes for
 * `ay`, lists for arrays and structs, a list of pairs for a dict, {@link Variant} for `v`.
 */
export type DBusValue = number | bigint | boolean | string | Uint8Array | readonly DBusValue[] | Variant
