import { isErrno, listDirectory, type OwnedFd, openDirectory, readText } from '@libcontainer/sys'
import type { RdtInfo } from './info.js'
import type { Schema } from './schemata.js'

/** What the tasks of a group do to one cache and to the memory behind it. A counter that the machine has not, or not now, is absent. */
export interface DomainStats {
  /** The id of the cache. */
  readonly domain: number
  /** Bytes of the cache that they fill: `llc_occupancy`. */
  readonly llcOccupancy?: number
  /** Bytes moved since the group was made: `mbm_total_bytes`. */
  readonly mbmTotalBytes?: number
  /** Those to and from the memory of its own node: `mbm_local_bytes`. */
  readonly mbmLocalBytes?: number
}

/** What a container's class is, and what it uses. */
export interface RdtStats {
  readonly info: RdtInfo
  /** Of the whole machine's group. */
  readonly rootSchemata: readonly Schema[]
  /** Of the container's. */
  readonly schemata: readonly Schema[]
  /** Of the container alone where it has a monitoring group, else of all that is in its class; empty where nothing is counted. */
  readonly monitoring: readonly DomainStats[]
}

const counters = [
  ['llcOccupancy', 'llc_occupancy'],
  ['mbmTotalBytes', 'mbm_total_bytes'],
  ['mbmLocalBytes', 'mbm_local_bytes'],
] as const

/** Reads `mon_data` of a group. */
export async function readMonitoring(group: OwnedFd): Promise<DomainStats[]> {
  let data: OwnedFd
  try {
    data = await openDirectory('mon_data', { at: group })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  try {
    const stats: DomainStats[] = []
    for (const { name } of await listDirectory('.', { at: data })) {
      const [, domain] = /^mon_L3_(\d+)$/.exec(name) ?? []
      if (domain !== undefined) stats.push(await readDomain(data, name, Number(domain)))
    }
    return stats.sort((a, b) => a.domain - b.domain)
  } finally {
    data.close()
  }
}

async function readDomain(data: OwnedFd, name: string, domain: number): Promise<DomainStats> {
  const found = await Promise.all(
    counters.map(async ([word, file]) => {
      const value = await readCounter(data, `${name}/${file}`)
      return value === undefined ? [] : [[word, value] as const]
    }),
  )
  return { domain, ...Object.fromEntries(found.flat()) }
}

/** `Unavailable`, `Unassigned` and `Error` are words of the kernel for a number that there is not. */
async function readCounter(data: OwnedFd, path: string): Promise<number | undefined> {
  try {
    const text = (await readText(path, { at: data })).trim()
    return /^\d+$/.test(text) ? Number(text) : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EIO', 'EINVAL')) return undefined
    throw error
  }
}
