import { checkLimit, type Limit } from './amount.js'
import { checkKeyed, type Keyed, keyedEntries } from './keyed.js'
import type { CgroupWrite } from './write.js'

/** `misc.max` by resource: `sev`, `sev_es`, `sgx_epc`, whatever `misc.capacity` at the top lists. Linux 5.13. */
export type MiscLimits = Keyed<Limit>

export const checkMisc = (field: string, value: unknown): void => checkKeyed(field, value, checkLimit)

export const miscWrites = (limits: MiscLimits): CgroupWrite[] =>
  keyedEntries(limits).map(([resource, max]) => ({ file: 'misc.max', value: `${resource} ${max}` }))
