import { mac } from '../../address/codecs.js'
import { attributes, type ValuesOf } from '../../message/attributes.js'
import { be16, flag, struct, u8, u16, u32, u64 } from '../../message/codec.js'
import { bridgeId, ignored, oneOf, onOff, told, VLAN_PROTOCOLS } from './codecs.js'

const on = onOff(u8)

/** IFLA_BR_*. Times are in hundredths of a second. */
export const bridgeTable = attributes({
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  /** Spanning tree: 0 off, 1 by the kernel, 2 by a program (/sbin/bridge-stp). */
  stpState: [5, u32],
  priority: [6, u16],
  vlanFiltering: [7, on],
  vlanProtocol: [8, oneOf(be16, VLAN_PROTOCOLS)],
  groupForwardMask: [9, u16],
  rootId: [10, bridgeId],
  bridgeId: [11, bridgeId],
  rootPort: [12, told(u16)],
  rootPathCost: [13, told(u32)],
  topologyChange: [14, told(u8)],
  topologyChangeDetected: [15, told(u8)],
  helloTimer: [16, told(u64)],
  tcnTimer: [17, told(u64)],
  topologyChangeTimer: [18, told(u64)],
  gcTimer: [19, told(u64)],
  groupAddress: [20, mac],
  /** Forgets what was learned. */
  flush: [21, flag],
  multicastRouter: [22, u8],
  multicastSnooping: [23, on],
  multicastQueryUseInterfaceAddress: [24, on],
  multicastQuerier: [25, on],
  multicastHashElasticity: [26, u32],
  multicastHashMax: [27, u32],
  multicastLastMemberCount: [28, u32],
  multicastStartupQueryCount: [29, u32],
  multicastLastMemberInterval: [30, u64],
  multicastMembershipInterval: [31, u64],
  multicastQuerierInterval: [32, u64],
  multicastQueryInterval: [33, u64],
  multicastQueryResponseInterval: [34, u64],
  multicastStartupQueryInterval: [35, u64],
  callIptables: [36, on],
  callIp6tables: [37, on],
  callArptables: [38, on],
  /** The VLAN of what comes untagged; 0 for none. */
  vlanDefaultPvid: [39, u16],
  pad: [40, ignored],
  vlanStatistics: [41, on],
  multicastStatistics: [42, on],
  igmpVersion: [43, u8],
  mldVersion: [44, u8],
  vlanStatisticsPerPort: [45, on],
  /** Bits of enum br_boolopt_id, and those of them that are to change. */
  options: [46, struct({ value: u32, mask: u32 })],
  multicastQuerierState: [47, ignored],
  learnedEntries: [48, told(u32)],
  maxLearnedEntries: [49, u32],
})
export type BridgeOptions = ValuesOf<typeof bridgeTable>

/** BR_STATE_*. */
const STATES = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

/** IFLA_BRPORT_*: what a link has as a port of a bridge. */
export const bridgePortTable = attributes({
  state: [1, oneOf(u8, STATES)],
  priority: [2, u16],
  cost: [3, u32],
  /** Sends frames back through the port that they came by: BRIDGE_MODE_HAIRPIN. */
  hairpin: [4, on],
  /** Disables the port when a BPDU comes. */
  guard: [5, on],
  /** Never makes it the root port. */
  protect: [6, on],
  fastLeave: [7, on],
  learning: [8, on],
  flood: [9, on],
  proxyArp: [10, on],
  learningSync: [11, on],
  proxyArpWifi: [12, on],
  rootId: [13, bridgeId],
  bridgeId: [14, bridgeId],
  designatedPort: [15, told(u16)],
  designatedCost: [16, told(u16)],
  id: [17, told(u16)],
  number: [18, told(u16)],
  topologyChangeAck: [19, told(u8)],
  configPending: [20, told(u8)],
  messageAgeTimer: [21, told(u64)],
  forwardDelayTimer: [22, told(u64)],
  holdTimer: [23, told(u64)],
  /** Forgets what was learned behind this port. */
  flush: [24, flag],
  multicastRouter: [25, u8],
  pad: [26, ignored],
  multicastFlood: [27, on],
  multicastToUnicast: [28, on],
  vlanTunnel: [29, on],
  broadcastFlood: [30, on],
  groupForwardMask: [31, u16],
  neighbourSuppression: [32, on],
  /** Isolated ports do not reach each other. */
  isolated: [33, on],
  /** By index: takes over when this one has no carrier; 0 for none. */
  backupPort: [34, u32],
  mrpRingOpen: [35, told(u8)],
  mrpInOpen: [36, told(u8)],
  multicastEhtHostsLimit: [37, u32],
  multicastEhtHosts: [38, told(u32)],
  locked: [39, on],
  macAuthenticationBypass: [40, on],
  multicastGroups: [41, told(u32)],
  multicastMaxGroups: [42, u32],
  neighbourSuppressionByVlan: [43, on],
  backupNexthop: [44, u32],
})
export type BridgePortOptions = ValuesOf<typeof bridgePortTable>
