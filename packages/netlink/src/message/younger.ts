import { SyscallError } from '@libcontainer/sys'
import type { KnownKind, LinkData, PortData } from '../link/kinds.js'
import type { LinkChanges } from '../link/options.js'
import type { QdiscKindOptions } from '../qdisc/kinds/index.js'

const EOPNOTSUPP = 95

/** Since which Linux there is an option, or with which option of its own a kernel has it. */
type Ages<Options = Record<string, unknown>> = { readonly [Name in keyof Options]?: string }

const macvlan: Ages<LinkData['macvlan']> = { broadcastQueueLength: '5.11', broadcastCutoff: '6.4' }

const BRIDGE_VLANS = 'CONFIG_BRIDGE_VLAN_FILTERING'

/** Options of kinds that came after Linux 5.10, or that not every kernel is built with. One without takes the attribute and ignores it, however strictly the socket checks. */
const links: { readonly [Kind in KnownKind]?: Ages<LinkData[Kind]> } = {
  bond: { lacpActive: '5.15', missedMax: '5.17', nsIp6Targets: '5.18', coupledControl: '6.9' },
  bridge: {
    maxLearnedEntries: '6.7',
    vlanProtocol: BRIDGE_VLANS,
    vlanDefaultPvid: BRIDGE_VLANS,
    vlanStatistics: BRIDGE_VLANS,
    vlanStatisticsPerPort: BRIDGE_VLANS,
  },
  macvlan,
  macvtap: macvlan,
  vxlan: { vnifilter: '5.18', localBypass: '6.5', labelPolicy: '6.8', reservedBits: '6.14' },
}
const bridgePorts: Ages<PortData['bridge']> = {
  multicastEhtHostsLimit: '5.12',
  locked: '5.18',
  macAuthenticationBypass: '6.2',
  multicastMaxGroups: '6.3',
  neighbourSuppressionByVlan: '6.4',
  backupNexthop: '6.6',
}
const bondPorts: Ages<PortData['bond']> = { priority: '6.0' }
const qdiscs: { readonly [Kind in keyof QdiscKindOptions]?: Ages<QdiscKindOptions[Kind]> } = {
  fq_codel: { ceThresholdSelector: '5.16', ceThresholdMask: '5.16' },
  netem: { seed: '6.6' },
}

const LINKS = new Map<string | undefined, Ages>(Object.entries(links))
const QDISCS = new Map<string, Ages>(Object.entries(qdiscs))

/** What a kernel that has the option does not tell, as it is the same as none. */
const UNTOLD: Readonly<Record<string, string>> = { broadcastCutoff: '1', nsIp6Targets: '', backupNexthop: '0' }

/** An option that was given, by where it stands in what the kernel tells. */
export interface Younger {
  readonly part: string
  readonly name: string
  readonly since: string
}

/** Of the options of a link that are given those that a kernel may ignore. */
export function youngerLinkOptions(
  kind: string | undefined,
  { data, bridgePort, bondPort }: Pick<LinkChanges, 'data' | 'bridgePort' | 'bondPort'>,
): Younger[] {
  return [
    ...among(LINKS.get(kind), 'data', data),
    ...among(bridgePorts, 'bridgePort', bridgePort),
    ...among(bondPorts, 'bondPort', bondPort),
  ]
}

/** Likewise of a queueing discipline, which has its options in the field of its kind. */
export function youngerQdiscOptions(qdisc: object): Younger[] {
  return Object.entries(qdisc).flatMap(([kind, options]) => among(QDISCS.get(kind), kind, options))
}

function among(ages: Ages | undefined, part: string, given: object | undefined): Younger[] {
  if (ages === undefined || given === undefined) return []
  return Object.entries(given)
    .filter(([name, value]) => Object.hasOwn(ages, name) && value !== undefined && String(value) !== UNTOLD[name])
    .map(([name]) => ({ part, name, since: ages[name]! }))
}

/**
 * @param told - what the kernel tells afterwards
 * @throws {SyscallError} `EOPNOTSUPP` for the first option that is not in it: the kernel has ignored it
 */
export function checkTaken(options: readonly Younger[], told: object, path: string): void {
  for (const { part, name, since } of options)
    if (!Object.hasOwn((told as Readonly<Record<string, object | undefined>>)[part] ?? {}, name))
      throw new SyscallError(EOPNOTSUPP, 'sendto', {
        path,
        detail: `this kernel ignores ${part}.${name}`,
        hint: since.startsWith('CONFIG_')
          ? `${part}.${name} takes a kernel that is built with ${since}`
          : `${part}.${name} came with Linux ${since}`,
      })
}
