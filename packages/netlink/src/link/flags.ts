/** Flags of a link: IFF_*, in the kernel's order. */
export const LINK_FLAGS = {
  up: 0x1,
  broadcast: 0x2,
  debug: 0x4,
  loopback: 0x8,
  pointopoint: 0x10,
  notrailers: 0x20,
  running: 0x40,
  noarp: 0x80,
  promisc: 0x100,
  allmulti: 0x200,
  master: 0x400,
  slave: 0x800,
  multicast: 0x1000,
  portsel: 0x2000,
  automedia: 0x4000,
  dynamic: 0x8000,
  lower_up: 0x10000,
  dormant: 0x20000,
  echo: 0x40000,
} as const
export type LinkFlag = keyof typeof LINK_FLAGS

/** What RFC 2863 calls the operational state: IF_OPER_*. `unknown` is that of drivers which do not tell, such as the loopback's. */
export const OPERATIONAL_STATES = [
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
] as const
export type OperationalState = (typeof OPERATIONAL_STATES)[number]

/** Types of hardware by the words of ip(8): ARPHRD_*. */
const HARDWARE: Readonly<Record<number, string>> = {
  0: 'netrom',
  1: 'ether',
  8: 'atm',
  24: 'ieee1394',
  32: 'infiniband',
  256: 'slip',
  280: 'can',
  512: 'ppp',
  768: 'ipip',
  769: 'tunnel6',
  772: 'loopback',
  776: 'sit',
  778: 'gre',
  783: 'irda',
  801: 'ieee802.11',
  803: 'ieee802.11/radiotap',
  804: 'ieee802.15.4',
  823: 'gre6',
  824: 'netlink',
  825: '6lowpan',
  826: 'vsockmon',
  65534: 'none',
  65535: 'void',
}

/** The word of an ARPHRD_ number, or the number in brackets, as ip(8) writes it. */
export function hardwareType(type: number): string {
  return HARDWARE[type] ?? `[${type}]`
}

const lists = new Map<number, readonly LinkFlag[]>()

/** The flags that are set. The list is shared: links of one kind have the same. */
export function linkFlags(flags: number): readonly LinkFlag[] {
  let list = lists.get(flags)
  if (list === undefined) {
    list = Object.freeze((Object.keys(LINK_FLAGS) as LinkFlag[]).filter(name => (flags & LINK_FLAGS[name]) !== 0))
    // The kernel has few combinations; whoever sends us others must not fill the memory.
    if (lists.size < 256) lists.set(flags, list)
  }
  return list
}
