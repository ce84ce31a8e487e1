import { type Amount, type Checks, checkAmount } from './amount.js'
import { checkKeyed, type Keyed, keyedEntries } from './keyed.js'
import type { CgroupWrite } from './write.js'

/** Marks on packets, for tc(8) and iptables(8). v1 only. */
export interface NetClsLimits {
  /** `net_cls.classid`: a handle of tc such as 0x100001 for 10:1; 0 for none. */
  classid?: Amount | undefined
}

/** Priorities of packets. v1 only. */
export interface NetPrioLimits {
  /** `net_prio.ifpriomap`: the priority by network interface. */
  ifpriomap?: Keyed<number> | undefined
}

const LARGEST = 2 ** 32 - 1
const check32 = (field: string, value: unknown): void => checkAmount(field, value, 0, LARGEST)

export const netClsChecks: Checks<NetClsLimits> = { classid: check32 }
export const netPrioChecks: Checks<NetPrioLimits> = { ifpriomap: (field, value) => checkKeyed(field, value, check32) }

export const netClsWrites = ({ classid }: NetClsLimits): CgroupWrite[] =>
  classid === undefined ? [] : [{ file: 'net_cls.classid', value: String(classid) }]

/** The kernel takes one interface by each write. */
export const netPrioWrites = ({ ifpriomap = {} }: NetPrioLimits): CgroupWrite[] =>
  keyedEntries(ifpriomap).map(([name, priority]) => ({ file: 'net_prio.ifpriomap', value: `${name} ${priority}` }))
