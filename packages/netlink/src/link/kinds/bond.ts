import { mac } from '../../address/codecs.js'
import { attributes, listOf, nested, type ValuesOf } from '../../message/attributes.js'
import { s32, u8, u16, u32 } from '../../message/codec.js'
import { ipv4, ipv6, oneOf, onOff, told } from './codecs.js'

const on = onOff(u8)

/** Bonding's modes by the words of ip(8). */
const MODES = {
  'balance-rr': 0,
  'active-backup': 1,
  'balance-xor': 2,
  broadcast: 3,
  '802.3ad': 4,
  'balance-tlb': 5,
  'balance-alb': 6,
} as const

const info = attributes({
  aggregator: [1, u16],
  ports: [2, u16],
  actorKey: [3, u16],
  partnerKey: [4, u16],
  partnerMac: [5, mac],
})

/** IFLA_BOND_*. Times are in milliseconds. */
export const bondTable = attributes({
  mode: [1, oneOf(u8, MODES)],
  /** By index. */
  activeSlave: [2, u32],
  miimon: [3, u32],
  upDelay: [4, u32],
  downDelay: [5, u32],
  useCarrier: [6, on],
  arpInterval: [7, u32],
  arpIpTargets: [8, listOf(ipv4, { from: 0 })],
  arpValidate: [
    9,
    oneOf(u32, { none: 0, active: 1, backup: 2, all: 3, filter: 4, filter_active: 5, filter_backup: 6 }),
  ],
  arpAllTargets: [10, oneOf(u32, { any: 0, all: 1 })],
  /** By index. */
  primary: [11, u32],
  primaryReselect: [12, oneOf(u8, { always: 0, better: 1, failure: 2 })],
  failOverMac: [13, oneOf(u8, { none: 0, active: 1, follow: 2 })],
  xmitHashPolicy: [
    14,
    oneOf(u8, { layer2: 0, 'layer3+4': 1, 'layer2+3': 2, 'encap2+3': 3, 'encap3+4': 4, 'vlan+srcmac': 5 }),
  ],
  resendIgmp: [15, u32],
  peerNotifications: [16, u8],
  allSlavesActive: [17, on],
  minLinks: [18, u32],
  /** In seconds. */
  lpInterval: [19, u32],
  packetsPerSlave: [20, u32],
  lacpRate: [21, oneOf(u8, { slow: 0, fast: 1 })],
  adSelect: [22, oneOf(u8, { stable: 0, bandwidth: 1, count: 2 })],
  adInfo: [23, told(nested(info))],
  adActorSystemPriority: [24, u16],
  adUserPortKey: [25, u16],
  adActorSystem: [26, mac],
  tlbDynamicBalancing: [27, on],
  peerNotificationDelay: [28, u32],
  lacpActive: [29, on],
  missedMax: [30, u8],
  nsIp6Targets: [31, listOf(ipv6, { from: 0 })],
  coupledControl: [32, on],
})
export type BondOptions = ValuesOf<typeof bondTable>

/** IFLA_BOND_SLAVE_*: what a link has in a bond. */
export const bondPortTable = attributes({
  state: [1, told(oneOf(u8, { active: 0, backup: 1 }))],
  miiStatus: [2, told(oneOf(u8, { up: 0, fail: 1, down: 2, back: 3 }))],
  linkFailures: [3, told(u32)],
  permanentMac: [4, told(mac)],
  queueId: [5, u16],
  aggregator: [6, told(u16)],
  actorPortState: [7, told(u8)],
  partnerPortState: [8, told(u16)],
  priority: [9, s32],
})
export type BondPortOptions = ValuesOf<typeof bondPortTable>
