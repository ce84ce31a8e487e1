import { ConfigInvalid } from '@libcontainer/sys'
import { type Checks, checkFields, checkLimit, type Limit } from './amount.js'
import { checkKeyed, type Keyed, keyedEntries } from './keyed.js'
import type { CgroupWrite } from './write.js'

/** Limits of an RDMA device (`rdma.max`). */
export interface RdmaDeviceLimits {
  /** `hca_handle`: how often it may be opened. */
  hcaHandle?: Limit | undefined
  /** `hca_object`: how many objects it may hold. */
  hcaObject?: Limit | undefined
}

/** By device: `mlx5_0`. */
export type RdmaLimits = Keyed<RdmaDeviceLimits>

const deviceChecks: Checks<RdmaDeviceLimits> = { hcaHandle: checkLimit, hcaObject: checkLimit }

export function checkRdma(field: string, value: unknown): void {
  checkKeyed(field, value, (at, limits) => {
    checkFields(at, limits as RdmaDeviceLimits, deviceChecks)
    const { hcaHandle, hcaObject } = limits as RdmaDeviceLimits
    if (hcaHandle === undefined && hcaObject === undefined) throw new ConfigInvalid(at, limits, 'limits nothing')
  })
}

export function rdmaWrites(limits: RdmaLimits): CgroupWrite[] {
  return keyedEntries(limits).map(([device, { hcaHandle, hcaObject }]) => {
    const words = [device]
    if (hcaHandle !== undefined) words.push(`hca_handle=${hcaHandle}`)
    if (hcaObject !== undefined) words.push(`hca_object=${hcaObject}`)
    return { file: 'rdma.max', value: words.join(' ') }
  })
}
