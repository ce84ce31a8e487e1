import { ConfigInvalid } from '@libcontainer/sys'
import { attributes, listOf, type ValuesOf } from '../../message/attributes.js'
import { be16, type FixedCodec, struct, u16, u32 } from '../../message/codec.js'
import { maskOf, namesOf, oneOf, VLAN_PROTOCOLS } from './codecs.js'

/** VLAN_FLAG_*. */
export const VLAN_FLAGS = { reorderHeader: 1, gvrp: 2, looseBinding: 4, mvrp: 8, bridgeBinding: 16 } as const
export type VlanFlag = keyof typeof VLAN_FLAGS

const ALL_FLAGS = 31
const flagsAndMask = struct({ flags: u32, mask: u32 })

/** struct ifla_vlan_flags. A list says all of them: what is not in it is turned off. */
const flags: FixedCodec<readonly (VlanFlag | number)[]> = {
  ...flagsAndMask,
  write(to, value, field) {
    const mask = maskOf(VLAN_FLAGS, value, field)
    flagsAndMask.write(to, { flags: mask, mask: mask | ALL_FLAGS }, field)
  },
  read: (view, at, size) => namesOf(VLAN_FLAGS, flagsAndMask.read(view, at, size).flags),
}

/** The identifier of a VLAN has 12 bits. */
const vlanId: FixedCodec<number> = {
  ...u16,
  write(to, value, field) {
    if (!Number.isInteger(value) || value < 0 || value > 4095)
      throw new ConfigInvalid(field, value, 'must be a whole number from 0 to 4095')
    u16.write(to, value, field)
  },
}

const priorities = listOf(struct({ from: u32, to: u32 }))

/** IFLA_VLAN_*. */
export const vlanTable = attributes({
  id: [1, vlanId],
  flags: [2, flags],
  /** From priorities of packets here to those of the tag. */
  egressPriorities: [3, priorities],
  /** From those of the tag to those of packets here. */
  ingressPriorities: [4, priorities],
  protocol: [5, oneOf(be16, VLAN_PROTOCOLS)],
})
export type VlanOptions = ValuesOf<typeof vlanTable>
