import { type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { containerContexts } from './container-contexts.js'
import { status } from './status.js'

/** Whether SELinux is on, and has labels for containers. */
export async function probe(): Promise<Probe<'selinux' | 'contexts'>> {
  return await probeEach({
    selinux: async () => {
      const { enabled, mode, policy, reason } = await status()
      if (!enabled) return unavailable(reason ?? 'SELinux is off')
      return policy === undefined ? mode : `${mode}, policy ${policy}`
    },
    contexts: async () => {
      const { process, file } = await containerContexts()
      if (process !== undefined && file !== undefined) return process
      return unavailable(
        'the policy has no labels for containers: its contexts/lxc_contexts has no process and file',
        'install container-selinux, or name labels yourself',
      )
    },
  })
}
