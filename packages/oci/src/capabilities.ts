import { type CapabilitySets, namesOf, resolveCapabilities } from '@libcontainer/capabilities'
import type { SpecCapabilities } from './spec.js'

const FIELD = 'process.capabilities'

/**
 * The five sets. Without them a process has none: what is not listed is not had.
 *
 * A name that nobody knows is left out with a warning, as the specification has it. What the kernel's own rules let nobody have, such as an
 * ambient capability that is not inheritable, is left out without one: the example of runc asks for three.
 */
export function capabilitySets(sets: SpecCapabilities = {}, warn: (text: string) => void): CapabilitySets {
  const { bounding, effective, inheritable, permitted, ambient } = sets
  const asked = { bounding, effective, inheritable, permitted, ambient }
  const { masks, warnings } = resolveCapabilities(asked, { field: FIELD })
  for (const warning of warnings) if (warning.startsWith('unknown')) warn(`${FIELD}: ${warning}`)
  return namesOf(masks)
}
