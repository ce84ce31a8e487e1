import { probe as probeCgroups } from '@libcontainer/cgroups'
import { probe as probeInit } from '@libcontainer/init'
import { probe as probeNamespaces } from '@libcontainer/namespaces'
import { probe as probeSeccomp } from '@libcontainer/seccomp'
import { type Availability, type Probe, probeCapability, probeEach, remembered, unavailable } from '@libcontainer/sys'

const CAP_SYS_ADMIN = 21

/**
 * What this host offers this process of what a default container is made of. `privileged` is a container of root's own, `rootless` one in a
 * user namespace; `limits` are cgroups that can be made.
 */
export async function probe(): Promise<
  Probe<'privileged' | 'rootless' | 'namespaces' | 'limits' | 'filters' | 'program'>
> {
  const kinds = remembered(probeNamespaces)
  return await probeEach({
    privileged: () => probeCapability('CAP_SYS_ADMIN', CAP_SYS_ADMIN),
    rootless: async () => (await kinds()).user,
    namespaces: async () => {
      const { mnt, pid, ipc, uts, net } = await kinds()
      return all({ mnt, pid, ipc, uts, net })
    },
    limits: async () => {
      const { memory, pids } = await probeCgroups()
      return all({ memory, pids })
    },
    filters: async () => (await probeSeccomp()).filters,
    program: async () => all(await probeInit()),
  })
}

/** There when each of them is; else the first that is not says why. */
function all(parts: Readonly<Record<string, Availability>>): Availability {
  for (const [name, part] of Object.entries(parts)) {
    if (!part.available) return unavailable(`${name}: ${part.reason}`, part.hint)
  }
  return { available: true, detail: Object.keys(parts).join(', ') }
}
