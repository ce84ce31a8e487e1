import { type Probe, probeEach, SyscallError, unavailable } from '@libcontainer/sys'
import { type CriuFeatures, checkFeatures } from './check-features.js'
import { version } from './version.js'

/** Whether CRIU is installed, and what it can do on this kernel. */
export async function probe(): Promise<Probe<'criu' | 'memTrack' | 'lazyPages'>> {
  return await probeEach({
    criu: async () => {
      try {
        return (await version()).text
      } catch (error) {
        if (!(error instanceof SyscallError) || error.code !== 'ENOENT') throw error
        return unavailable('criu is not installed', 'install the package criu')
      }
    },
    memTrack: () => offered('memTrack', 'CONFIG_MEM_SOFT_DIRTY'),
    lazyPages: () => offered('lazyPages', 'userfaultfd'),
  })
}

async function offered(name: keyof CriuFeatures, what: string) {
  return (await checkFeatures())[name] ? undefined : unavailable(`CRIU does not find ${what} on this kernel`)
}
