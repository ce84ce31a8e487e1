import type { UnitProperty } from './property.js'
import type { CgroupUnit } from './unit.js'

export interface UnitContext {
  /** Who is in it from the start: a scope cannot be without. */
  readonly pids: readonly number[]
  readonly description: string
  readonly version: 1 | 2
  /** Of systemd. */
  readonly systemd: number
}

/** The first systemd that throws a unit away which has failed. */
const COLLECT_SINCE = 236

const flag = (name: string, value = true): UnitProperty => ({ name, type: 'b', value })

/** What a unit of ours is, whatever its limits. Pure. */
export function unitProperties({ name, slice }: CgroupUnit, context: UnitContext): UnitProperty[] {
  const { pids, description, version, systemd } = context
  const scope = name.endsWith('.scope')
  return [
    { name: 'Description', type: 's', value: description },
    // A slice stands where its name says; a scope has to be told.
    ...(scope
      ? [
          { name: 'Slice', type: 's', value: slice },
          // Everything below it is ours, and its controllers are handed on to it.
          flag('Delegate'),
          { name: 'PIDs', type: 'au', value: pids },
        ]
      : [{ name: 'Wants', type: 'as', value: [slice] }]),
    // Or it would be stopped early at shutdown, before what needs it.
    flag('DefaultDependencies', false),
    flag('MemoryAccounting'),
    flag('CPUAccounting'),
    flag('TasksAccounting'),
    flag(version === 1 ? 'BlockIOAccounting' : 'IOAccounting'),
    ...(scope && systemd >= COLLECT_SINCE ? [{ name: 'CollectMode', type: 's', value: 'inactive-or-failed' }] : []),
  ]
}
