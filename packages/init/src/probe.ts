import { type Probe, probeCall, probeEach } from '@libcontainer/sys'
import { initProgram } from './program.js'

/** Whether the program `init` is there and can be run from memory, and the calls that start it. */
export async function probe(): Promise<Probe<'program' | 'clone3' | 'pidfds'>> {
  return await probeEach({
    program: () => {
      initProgram().done()
      return undefined
    },
    clone3: () => probeCall('clone3'),
    pidfds: () => probeCall('pidfd_open'),
  })
}
