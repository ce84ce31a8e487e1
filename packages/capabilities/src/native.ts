import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c. Those that change the calling task refuse a process with several threads, such as Node.js. */
export interface CapabilityOps {
  dropBounding(keep: bigint): number
  setKeepCaps(on: number): number
  setCapabilities(effective: bigint, permitted: bigint, inheritable: bigint): number
  raiseEffective(mask: bigint): number
  clearInherited(): number
  setAmbient(mask: bigint, strict: number): number
  setSecureBits(bits: number): number
  getSecureBits(): number
}

export const native = binding<CapabilityOps>('capabilities', import.meta.url)
