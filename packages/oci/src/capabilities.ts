import { type CapabilitySets, namesOf, resolveCapabilities } from '@libcontainer/capabilities'
import type { SpecCapabilities } from './spec.js'

const FIELD = 'process.capabilities'

/**
 * The five sets. Without them a process has none: what is not listed is not had.
 *
 * Names that nobody knows, and what the kernel would refuse for its own rules, are left out with a warning, as the specification has it.
 */
export function capabilitySets(sets: SpecCapabilities = {}, warn: (text: string) => void): CapabilitySets {
  const { bounding, effective, inheritable, permitted, ambient } = sets
  const { masks, warnings } = resolveCapabilities(
    { bounding, effective, inheritable, permitted, ambient },
    { field: FIELD },
  )
  for (const warning of warnings) warn(`${FIELD}: ${warning}`)
  return namesOf(masks)
}
