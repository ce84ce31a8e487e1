import { ConfigInvalid, readText, remembered, SyscallError } from '@libcontainer/sys'
import { isGone } from '../errnos.js'
import { type CgroupHost, type Hierarchy, hierarchyOf } from '../host/host.js'
import type { CgroupPlaces, Place } from '../host/place.js'
import { hugePageSizes } from '../limits/hugetlb.js'
import { listProcesses } from '../processes/processes.js'
import { readFileOf } from '../read.js'
import { type FileSet, readSets, type Texts } from './batch.js'
import { type CpuStats, cpuSource } from './cpu.js'
import { type IoStats, ioSource } from './io.js'
import { type MemoryStats, memorySource, topMemory } from './memory.js'
import {
  type CpusetStats,
  cpusetSource,
  type FreezerStats,
  freezerSource,
  type HugetlbStats,
  hugetlbSource,
  type MiscStats,
  miscSource,
  type PidsStats,
  pidsSource,
  type RdmaStats,
  rdmaSource,
} from './more.js'
import type { Layout, Read, Source, StatsFile } from './source.js'

/** A snapshot. A controller that the host lacks is absent, and so is a number that its kernel does not count. */
export interface CgroupStats {
  readonly memory?: MemoryStats
  readonly cpu?: CpuStats
  readonly pids?: PidsStats
  readonly cpuset?: CpusetStats
  readonly io?: IoStats
  readonly hugetlb?: HugetlbStats
  readonly rdma?: RdmaStats
  readonly misc?: MiscStats
  readonly freezer?: FreezerStats
  /** Why files that are there could not be read, if any: the numbers of the others are in the snapshot. */
  readonly unreadable?: readonly SyscallError[]
}

export type StatsController = Exclude<keyof CgroupStats, 'unreadable'>

const sources = {
  memory: memorySource,
  cpu: cpuSource,
  pids: pidsSource,
  cpuset: cpusetSource,
  io: ioSource,
  hugetlb: hugetlbSource,
  rdma: rdmaSource,
  misc: miscSource,
  freezer: freezerSource,
} satisfies { [K in StatsController]: Source<NonNullable<CgroupStats[K]>> }

export const statsControllers = Object.keys(sources) as readonly StatsController[]

/**
 * The statistics of many cgroups, in their order: for all of them a few native calls, which read on several threads while what came before is
 * parsed. One that is gone has none.
 *
 * @param controllers - only these. Default: all
 * @throws {ConfigInvalid} for a controller that is none of {@link statsControllers}
 */
export async function statsOf(
  groups: readonly CgroupPlaces[],
  controllers: readonly StatsController[] = statsControllers,
): Promise<CgroupStats[]> {
  checkControllers(controllers)
  const results = groups.map((): CgroupStats => ({}))
  const sizes = controllers.includes('hugetlb') ? await knownPageSizes() : []
  const hosts = new Map<CgroupHost, number[]>()
  for (const [i, { host }] of groups.entries()) {
    const there = hosts.get(host)
    if (there === undefined) hosts.set(host, [i])
    else there.push(i)
  }
  for (const [host, members] of hosts) {
    const recipe = recipeOf(host, controllers, sizes)
    const paths = members.map(i => pathsIn(recipe, groups[i]!.places))
    await readSets(recipe.sets, paths, (n, texts) => {
      results[members[n]!] = snapshot(recipe, texts, groups[members[n]!]!.places)
    })
    for (const i of members) await complete(results[i]!, groups[i]!, controllers)
  }
  return results
}

function checkControllers(controllers: readonly StatsController[]): void {
  for (const name of controllers) {
    if (statsControllers.includes(name)) continue
    throw new ConfigInvalid('controllers', name, `must be of ${statsControllers.join(', ')}`)
  }
}

/** What is read of each cgroup of a host, and where it is in what was read. */
interface Recipe {
  readonly hierarchies: readonly Hierarchy[]
  readonly sets: readonly FileSet[]
  readonly parts: readonly Part[]
}

interface Part {
  readonly name: StatsController
  readonly source: Source<unknown>
  readonly layout: Layout
  /** The numbers of its files. */
  readonly numbers: ReadonlyMap<string, number>
}

const EINVAL = -22
/** PSI is switched off. */
const EOPNOTSUPP = -95

/** The kernel decides on them when it boots. */
const knownPageSizes = remembered(hugePageSizes)

function recipeOf(host: CgroupHost, controllers: readonly StatsController[], sizes: readonly string[]): Recipe {
  const files = new Map<Hierarchy, string[]>()
  const found: { name: StatsController; layout: Layout; wanted: readonly StatsFile[] }[] = []
  for (const name of controllers) {
    const source = sources[name]
    const hierarchy = source.controllers.map(controller => hierarchyOf(host, controller)).find(one => one !== undefined)
    if (hierarchy === undefined) continue
    const layout = { version: hierarchy.version, noPrefix: hierarchy.noPrefix, hugePageSizes: sizes }
    const wanted = source.files(layout)
    for (const [controller, file] of wanted) {
      const of = hierarchyOf(host, controller)
      if (of === undefined) continue
      const set = files.get(of) ?? []
      files.set(of, set)
      if (!set.includes(file)) set.push(file)
    }
    found.push({ name, layout, wanted })
  }
  const offsets = new Map<Hierarchy, number>()
  let offset = 0
  for (const [hierarchy, set] of files) {
    offsets.set(hierarchy, offset)
    offset += set.length
  }
  const parts = found.map(({ name, layout, wanted }): Part => {
    const numbers = new Map<string, number>()
    for (const [controller, file] of wanted) {
      const of = hierarchyOf(host, controller)
      if (of !== undefined) numbers.set(file, offsets.get(of)! + files.get(of)!.indexOf(file))
    }
    return { name, source: sources[name], layout, numbers }
  })
  const hierarchies = [...files.keys()]
  const sets = hierarchies.map(hierarchy => ({ mountpoint: hierarchy.mountpoint, files: files.get(hierarchy)! }))
  return { hierarchies, sets, parts }
}

/** No cgroup has such a path: what a hierarchy does not have reads as absent. */
const NOWHERE = '\u0001'

const pathsIn = ({ hierarchies }: Recipe, places: readonly Place[]): string[] =>
  hierarchies.map(hierarchy => places.find(place => place.hierarchy === hierarchy)?.path ?? NOWHERE)

function snapshot({ parts, hierarchies, sets }: Recipe, texts: Texts, places: readonly Place[]): CgroupStats {
  const stats: { -readonly [K in keyof CgroupStats]?: unknown } = {}
  const failed = new Map<number, number>()
  for (const { name, source, layout, numbers } of parts) {
    const read: Read = file => {
      const number = numbers.get(file)
      if (number === undefined) return undefined
      const text = texts(number)
      if (typeof text === 'string') return text
      if (!isGone(text) && text !== EINVAL && text !== EOPNOTSUPP) failed.set(number, text)
      return undefined
    }
    const parsed = source.parse(read, layout)
    if (parsed !== undefined) stats[name] = parsed
  }
  if (failed.size > 0) {
    const names = sets.flatMap(({ files }, i) => files.map(file => [hierarchies[i]!, file] as const))
    stats.unreadable = [...failed].map(([number, errno]) => {
      const [hierarchy, file] = names[number]!
      const place = places.find(one => one.hierarchy === hierarchy)
      return new SyscallError(errno, 'read', { path: `${place?.directory ?? hierarchy.mountpoint}/${file}` })
    })
  }
  return stats as CgroupStats
}

/** What no file of the cgroup says: processes where nobody counts them, and the memory of the top. */
async function complete(
  stats: { -readonly [K in keyof CgroupStats]: CgroupStats[K] },
  { host, places }: CgroupPlaces,
  controllers: readonly StatsController[],
): Promise<void> {
  const [first] = places
  if (first === undefined) return
  if (controllers.includes('pids') && hierarchyOf(host, 'pids') === undefined) {
    stats.pids = { current: (await listProcesses(first, true)).length, max: 'max' }
  }
  if (!controllers.includes('memory') || stats.memory !== undefined) return
  const top = places.find(({ path, hierarchy }) => path === '' && hierarchy.version === 2)
  if (top === undefined || hierarchyOf(host, 'memory') !== top.hierarchy) return
  const [stat, meminfo] = await Promise.all([readFileOf(top, 'memory.stat'), readText('/proc/meminfo')])
  if (stat !== undefined) stats.memory = topMemory(stat, meminfo)
}
