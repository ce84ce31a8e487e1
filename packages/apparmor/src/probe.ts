import { type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { findParser } from './parser.js'
import { status } from './status.js'

/** Whether AppArmor is on, and profiles can be compiled. */
export async function probe(): Promise<Probe<'apparmor' | 'parser'>> {
  return await probeEach({
    apparmor: async () => {
      const { enabled, mode, reason } = await status()
      return enabled ? mode : unavailable(reason ?? 'AppArmor is off')
    },
    parser: async () =>
      (await findParser()) ?? unavailable('apparmor_parser is not installed', 'install the package apparmor'),
  })
}
