import { listDirectory, type OwnedFd, openDirectory, readTextIfPresent } from '@libcontainer/sys'

/** What can be said of a cache: `info/L3`, `info/L2` and their kin. */
export interface CacheInfo {
  /** How many groups there can be. */
  readonly numClosids: number
  /** All ways of the cache. */
  readonly cbmMask: number
  /** A mask has this many bits at least. */
  readonly minCbmBits: number
  /** Ways that devices use as well. */
  readonly shareableBits: number
  /** The bits of a mask need not stand together. */
  readonly sparseMasks: boolean
}

/** What can be said of the way to memory: `info/MB`, `info/SMBA`. */
export interface BandwidthInfo {
  readonly numClosids: number
  readonly minBandwidth: number
  /** What is asked for is rounded up to a multiple of this. */
  readonly bandwidthGran: number
  readonly delayLinear: boolean
}

/** What is counted: `info/L3_MON`. */
export interface MonitoringInfo {
  /** How many groups there can be, those for monitoring among them. */
  readonly numRmids: number
  /** `llc_occupancy`, `mbm_total_bytes`, `mbm_local_bytes`, … */
  readonly monFeatures: readonly string[]
}

/** What the machine and the mount of resctrl offer. */
export interface RdtInfo {
  /** By resource: `L3`, or `L3CODE` and `L3DATA` where they are apart; `L2` the same. */
  readonly caches: Readonly<Record<string, CacheInfo>>
  /** By resource: `MB`, `SMBA`. */
  readonly bandwidth: Readonly<Record<string, BandwidthInfo>>
  readonly monitoring: MonitoringInfo | undefined
}

/** Reads the directory `info`. */
export async function readInfo(info: OwnedFd): Promise<RdtInfo> {
  const names = (await listDirectory('.', { at: info })).flatMap(({ name, type }) =>
    type === 'directory' ? [name] : [],
  )
  const caches: Record<string, CacheInfo> = {}
  const bandwidth: Record<string, BandwidthInfo> = {}
  let monitoring: MonitoringInfo | undefined
  // By their files, not their names: the next resource of the kernel will have one of these shapes, too.
  for (const name of names.sort()) {
    const at = await openDirectory(name, { at: info, handle: true })
    try {
      const text = async (file: string): Promise<string | undefined> => (await readTextIfPresent(file, { at }))?.trim()
      const number = async (file: string): Promise<number> => Number((await text(file)) ?? 0) || 0
      const mask = async (file: string): Promise<number> => Number.parseInt((await text(file)) ?? '0', 16) || 0
      const [cbmMask, minBandwidth, events] = [
        await mask('cbm_mask'),
        await text('min_bandwidth'),
        await text('mon_features'),
      ]
      if (cbmMask > 0)
        caches[name] = {
          numClosids: await number('num_closids'),
          cbmMask,
          minCbmBits: await number('min_cbm_bits'),
          shareableBits: await mask('shareable_bits'),
          sparseMasks: (await number('sparse_masks')) === 1,
        }
      else if (minBandwidth !== undefined)
        bandwidth[name] = {
          numClosids: await number('num_closids'),
          minBandwidth: Number(minBandwidth) || 0,
          bandwidthGran: (await number('bandwidth_gran')) || 1,
          delayLinear: (await number('delay_linear')) === 1,
        }
      else if (events !== undefined && monitoring === undefined)
        monitoring = { numRmids: await number('num_rmids'), monFeatures: events.split('\n').filter(Boolean) }
    } finally {
      at.close()
    }
  }
  return { caches, bandwidth, monitoring }
}
