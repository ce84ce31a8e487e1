import { type Availability, type Probe, probeEach, remembered, unavailable } from '@libcontainer/sys'
import type { RdtInfo } from './info.js'
import { Resctrl, type ResctrlOptions } from './resctrl.js'

/**
 * What this host offers: `resctrl` is the file system, `cat` shares of caches, `mba` shares of the way to memory, `cmt` counts what fills the caches, `mbm`
 * what moves to and from memory.
 */
export async function probe(options: ResctrlOptions = {}): Promise<Probe<'resctrl' | 'cat' | 'mba' | 'cmt' | 'mbm'>> {
  const found = remembered(async (): Promise<{ path: string; info: RdtInfo }> => {
    const resctrl = await Resctrl.open(options)
    try {
      return { path: resctrl.path, info: await resctrl.info() }
    } finally {
      resctrl.close()
    }
  })
  const some = async (what: string, names: (info: RdtInfo) => readonly string[]): Promise<Availability> => {
    const list = names((await found()).info)
    if (list.length > 0) return { available: true, detail: list.join(', ') }
    return unavailable(
      `resctrl has no ${what}`,
      'the processor has none, or the kernel command line turns it off: rdt=',
    )
  }
  const counters =
    (prefix: string) =>
    ({ monitoring }: RdtInfo): readonly string[] =>
      monitoring?.monFeatures.filter(name => name.startsWith(prefix) && !name.endsWith('_config')) ?? []
  return await probeEach({
    resctrl: async () => (await found()).path,
    cat: () => some('cache to share', ({ caches }) => Object.keys(caches)),
    mba: () => some('bandwidth to share', ({ bandwidth }) => Object.keys(bandwidth)),
    cmt: () => some('counter of caches', counters('llc_')),
    mbm: () => some('counter of memory bandwidth', counters('mbm_')),
  })
}
