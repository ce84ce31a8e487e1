import type { CacheInfo } from './info.js'
import { formatSchemata, type Schema } from './schemata.js'
import type { RdtStats } from './stats.js'

/** `intel_rdt` of an event of type `stats`, in the words that readers of a runtime's events expect. */
export interface EventRdt {
  readonly l3_cache_info?: { readonly cbm_mask: string; readonly min_cbm_bits: number; readonly num_closids: number }
  readonly l3_cache_schema_root?: string
  readonly l3_cache_schema?: string
  readonly mem_bw_info?: Readonly<Record<'bandwidth_gran' | 'delay_linear' | 'min_bandwidth' | 'num_closids', number>>
  readonly mem_bw_schema_root?: string
  readonly mem_bw_schema?: string
  readonly schemata?: readonly string[]
  readonly mbm_stats?: readonly { readonly mbm_total_bytes: number; readonly mbm_local_bytes: number }[]
  readonly cmt_stats?: readonly { readonly llc_occupancy: number }[]
}

/** Brings statistics into the words of a runtime's events. Pure. */
export function eventRdt({ info, rootSchemata, schemata, monitoring }: RdtStats): EventRdt {
  const { L3 } = info.caches
  const { MB } = info.bandwidth
  const features = info.monitoring?.monFeatures ?? []
  return {
    ...(L3 && { l3_cache_info: cacheInfo(L3) }),
    ...(L3 && { l3_cache_schema_root: line(rootSchemata, 'L3'), l3_cache_schema: line(schemata, 'L3') }),
    ...(MB && {
      mem_bw_info: {
        bandwidth_gran: MB.bandwidthGran,
        delay_linear: Number(MB.delayLinear),
        min_bandwidth: MB.minBandwidth,
        num_closids: MB.numClosids,
      },
      mem_bw_schema_root: line(rootSchemata, 'MB'),
      mem_bw_schema: line(schemata, 'MB'),
    }),
    schemata: schemata.map(schema => formatSchemata([schema]).trim()),
    ...(features.some(name => name.startsWith('mbm_')) && {
      mbm_stats: monitoring.map(({ mbmTotalBytes = 0, mbmLocalBytes = 0 }) => ({
        mbm_total_bytes: mbmTotalBytes,
        mbm_local_bytes: mbmLocalBytes,
      })),
    }),
    ...(features.includes('llc_occupancy') && {
      cmt_stats: monitoring.map(({ llcOccupancy = 0 }) => ({ llc_occupancy: llcOccupancy })),
    }),
  }
}

const cacheInfo = ({ cbmMask, minCbmBits, numClosids }: CacheInfo): NonNullable<EventRdt['l3_cache_info']> => ({
  cbm_mask: cbmMask.toString(16),
  min_cbm_bits: minCbmBits,
  num_closids: numClosids,
})

const line = (schemata: readonly Schema[], resource: string): string =>
  formatSchemata(schemata.filter(schema => schema.resource === resource)).trim()
