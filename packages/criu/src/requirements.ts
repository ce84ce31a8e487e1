import type { CriuFeatures } from './check-features.js'
import type { DumpOptions, RestoreOptions } from './options.js'

type Option = keyof DumpOptions | keyof RestoreOptions
type Options = Partial<DumpOptions & RestoreOptions>

/** The first CRIU whose RPC has an option: an older one would pass over it without a word. */
const since: Readonly<Partial<Record<Option, string>>> = {
  configFile: '3.11',
  orphanPtsMaster: '3.11',
  statusFd: '3.11',
  cgroupYard: '3.14',
  preDumpMode: '3.14',
  tcpClose: '3.14',
  tls: '3.14',
  lsmProfile: '3.16',
  lsmMountContext: '3.16',
  mntnsCompatMode: '3.17',
  networkLock: '3.17',
  skipFileRwxCheck: '3.18',
  unprivileged: '3.18',
  leaveStopped: '4.1',
}

/** The first CRIU that knows a kind of external thing, by how its words begin. */
const externalSince: readonly (readonly [string, string])[] = [
  ['net[', '3.11'],
  ['pid[', '3.15'],
]

/** What options ask of CRIU. */
export interface Requirement {
  /** The option, as an error calls it. */
  readonly option: string
  readonly version: string
}

/** The versions that these options take. Pure. @param unified - whether `freezeCgroup` is of cgroup v2 */
export function requirementsOf(options: Options, unified = false): Requirement[] {
  const found: Requirement[] = []
  for (const [option, version] of Object.entries(since)) {
    const value = options[option as keyof Options]
    if (value !== undefined && value !== false) found.push({ option, version })
  }
  if (options.networkLock === 'skip') found.push({ option: "networkLock: 'skip'", version: '3.19' })
  for (const [i, word] of (options.external ?? []).entries()) {
    const version = externalSince.find(([beginning]) => word.startsWith(beginning))?.[1]
    if (version !== undefined) found.push({ option: `external[${i}]`, version })
  }
  if (options.freezeCgroup !== undefined && unified)
    found.push({ option: 'freezeCgroup of cgroup v2', version: '3.14' })
  return found
}

/** The features of CRIU on this kernel that these options take. Pure. */
export function featuresOf({ trackMem, parentImg, lazyPages }: Options): (keyof CriuFeatures)[] {
  return [
    ...(trackMem === true || parentImg !== undefined ? (['memTrack'] as const) : []),
    ...(lazyPages === true ? (['lazyPages'] as const) : []),
  ]
}
