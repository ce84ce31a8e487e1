import { type Availability, type Probe, probeCapability, probeEach, remembered, unavailable } from '@libcontainer/sys'
import { isSupported } from './inspect.js'
import { type NamespaceKind, namespaceKinds, ociName } from './kinds.js'
import { readUserNamespaceFacts, type UserNamespaceObstacle, userNamespaceObstacle } from './obstacle.js'

const CAP_SYS_ADMIN = 21

/** Which kinds of namespaces this kernel has and this process may make: an ordinary user inside a user namespace of its own. */
export async function probe(): Promise<Probe<NamespaceKind>> {
  const privileged = remembered(async () => (await probeCapability('CAP_SYS_ADMIN', CAP_SYS_ADMIN)).available)
  const user = remembered(async () => await probeUser(await privileged()))
  const look = async (kind: NamespaceKind): Promise<Availability> => {
    if (!(await isSupported(kind))) return unavailable(`the kernel was built without ${ociName(kind)} namespaces`)
    if (kind === 'user') return await user()
    if (await privileged()) return { available: true }
    const own = await user()
    if (own.available) return { available: true, detail: 'with a user namespace' }
    return unavailable(`neither CAP_SYS_ADMIN nor a user namespace: ${own.reason}`, own.hint)
  }
  const checks = Object.fromEntries(namespaceKinds.map(kind => [kind, () => look(kind)]))
  return await probeEach(checks as Record<NamespaceKind, () => Promise<Availability>>)
}

/** By what /proc tells for certain; a filter or a security module shows only when one is made. */
async function probeUser(privileged: boolean): Promise<Availability> {
  const facts = await readUserNamespaceFacts()
  const none = (obstacle: UserNamespaceObstacle): Availability => unavailable(obstacle.problem, obstacle.remedy)
  const limit = facts.max === 0 || !facts.supported ? userNamespaceObstacle('ENOSPC', facts) : undefined
  if (limit !== undefined) return none(limit)
  // The switches of distributions bind ordinary users alone.
  const bound = privileged ? { ...facts, unprivilegedClone: undefined, appArmorRestricts: undefined } : facts
  const obstacle = userNamespaceObstacle('EPERM', { ...bound, filtered: undefined })
  return obstacle === undefined || obstacle.cause === 'security' ? { available: true } : none(obstacle)
}
