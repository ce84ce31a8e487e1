import { ConfigInvalid } from '@libcontainer/sys'
import { type IntelRdt, schemataOf } from './config.js'
import type { CacheInfo, RdtInfo } from './info.js'

/**
 * Refuses what this machine cannot do, before anything is made: a resource that it has not, masks that do not fit its caches, bandwidth below its
 * least, monitoring where there is none. Pure.
 *
 * @throws {ConfigInvalid}
 */
export function checkOffered(config: IntelRdt, info: RdtInfo, field = 'intelRdt'): void {
  const { caches, bandwidth, monitoring } = info
  for (const { resource, domains } of schemataOf(config, field)) {
    const place = placeOf(config, resource, field)
    const [cache, way] = [caches[resource], bandwidth[resource]]
    if (cache === undefined && way === undefined)
      throw new ConfigInvalid(place, resource, `must be of what this host has: ${offered(info)}`, {
        hint: hintOf(resource),
      })
    for (const [id, value] of Object.entries(domains)) {
      const problem = cache === undefined ? undefined : maskProblem(value, cache)
      if (problem !== undefined) throw new ConfigInvalid(place, `${resource}:${id}=${value.toString(16)}`, problem)
      if (way !== undefined && value < way.minBandwidth)
        throw new ConfigInvalid(place, `${resource}:${id}=${value}`, `must be ${way.minBandwidth} or more`)
    }
  }
  if (config.enableMonitoring && monitoring === undefined)
    throw new ConfigInvalid(`${field}.enableMonitoring`, true, 'needs a machine that monitors: its info has no L3_MON')
}

const offered = ({ caches, bandwidth }: RdtInfo): string =>
  [...Object.keys(caches), ...Object.keys(bandwidth)].join(', ') || 'nothing, it only monitors'

const hintOf = (resource: string): string =>
  /(?:CODE|DATA)$/.test(resource)
    ? 'code and data are apart where resctrl is mounted with cdp or cdpl2'
    : 'the kernel command line may have turned it off: rdt=!l3cat,!mba'

function maskProblem(mask: number, { cbmMask, minCbmBits, sparseMasks }: CacheInfo): string | undefined {
  const bits = mask.toString(2)
  const set = bits.replaceAll('0', '').length
  if ((mask & ~cbmMask) !== 0) return `must be within ${cbmMask.toString(16)}, the whole cache`
  if (set < minCbmBits) return `must have ${minCbmBits} bits at least`
  if (!sparseMasks && !/^(?:0|1+0*)$/.test(bits)) return 'must have its bits in one row'
  return undefined
}

/** Which field has asked for it last. */
function placeOf({ schemata = [], memBwSchema }: IntelRdt, resource: string, field: string): string {
  const line = schemata.findLastIndex(each => each.trim().startsWith(`${resource}:`))
  if (line >= 0) return `${field}.schemata[${line}]`
  return resource === 'MB' && memBwSchema !== undefined ? `${field}.memBwSchema` : `${field}.l3CacheSchema`
}
