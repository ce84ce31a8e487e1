import { type Checks, checkLimit, type Limit } from './amount.js'
import type { CgroupWrite } from './write.js'

export interface PidsLimits {
  /** `pids.max`: processes and threads in all. At the limit fork(2) fails; 0 lets nobody fork. */
  max?: Limit | undefined
}

export const pidsChecks: Checks<PidsLimits> = { max: checkLimit }

export const pidsWrites = ({ max }: PidsLimits): CgroupWrite[] =>
  max === undefined ? [] : [{ file: 'pids.max', value: String(max) }]
