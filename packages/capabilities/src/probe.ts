import { type Availability, type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { hasCap } from './masks.js'
import { CAPABILITIES, type CapabilityName } from './names.js'
import { getProcess, lastCap } from './process.js'

/** Which capabilities this kernel has and this process has in force. */
export async function probe(): Promise<Probe<CapabilityName>> {
  const facts = Promise.all([lastCap(), getProcess()])
  const look = async (name: CapabilityName, number: number): Promise<Availability> => {
    const [last, masks] = await facts
    if (number > last) return unavailable(`the kernel ends at capability ${last}`, 'a later kernel has it')
    if (hasCap(masks, name)) return { available: true }
    if (hasCap(masks, name, 'bounding'))
      return unavailable(`${name} is not in this process's effective set`, `run it as root, or with ${name}`)
    return unavailable(
      `${name} is not in this process's bounding set`,
      'what started it withholds it: a container, a service',
    )
  }
  const checks = Object.fromEntries(CAPABILITIES.map((name, number) => [name, () => look(name, number)]))
  return await probeEach(checks as Record<CapabilityName, () => Promise<Availability>>)
}
