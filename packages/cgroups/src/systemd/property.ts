import type { Variant } from '../dbus/value.js'

/** A property of a unit: its name, the type of its value in D-Bus' letters, the value. */
export interface UnitProperty extends Variant {
  readonly name: string
}

/** What systemd takes for no limit: the largest number of its type. */
export const INFINITY = 2n ** 64n - 1n
