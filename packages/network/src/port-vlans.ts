import { ConfigInvalid } from '@libcontainer/sys'
import type { PortVlan } from './acts.js'
import { checkNumber } from './fields.js'
import type { VethNetwork } from './types.js'

/** 0 is the priority tag, 4095 is reserved: 802.1Q. */
const VLANS = { low: 1, high: 4094 }

export const checkVlan = (value: unknown, field: string): void => checkNumber(value, field, VLANS.low, VLANS.high)

/** The VLANs of a port, as the bridge has them; `undefined` for those that it gives every port. Pure. @throws {ConfigInvalid} by field */
export function portVlans(
  { vlan, vlanTrunk }: Pick<VethNetwork, 'vlan' | 'vlanTrunk'>,
  field: string,
): PortVlan[] | undefined {
  checkVlan(vlan, `${field}.vlan`)
  const trunk = vlanTrunk === undefined ? [] : checkTrunk(vlanTrunk, `${field}.vlanTrunk`)
  if (vlan === undefined) return vlanTrunk === undefined ? undefined : trunk
  const both = trunk.findIndex(({ vid, vidEnd = vid }) => vid <= vlan && vlan <= vidEnd)
  if (both !== -1)
    throw new ConfigInvalid(
      `${field}.vlanTrunk[${both}]`,
      vlanTrunk?.[both],
      `holds ${vlan}, which has no tag: see vlan`,
    )
  return [{ vid: vlan, untagged: true }, ...trunk]
}

function checkTrunk(trunk: unknown, field: string): PortVlan[] {
  if (!Array.isArray(trunk) || trunk.length === 0)
    throw new ConfigInvalid(field, trunk, "must be a list of VLANs: [20, '100-199']")
  return trunk.map((entry: unknown, i) => checkRange(entry, `${field}[${i}]`))
}

function checkRange(entry: unknown, field: string): PortVlan {
  const [, first, last] = /^([0-9]{1,4})-([0-9]{1,4})$/.exec(String(entry)) ?? []
  if (first === undefined) {
    if (typeof entry !== 'number')
      throw new ConfigInvalid(field, entry, "must be a VLAN, or a range of them: '100-199'")
    checkVlan(entry, field)
    return { vid: entry }
  }
  const [vid, vidEnd] = [Number(first), Number(last)]
  if (vid < VLANS.low || vidEnd > VLANS.high || vid >= vidEnd)
    throw new ConfigInvalid(
      field,
      entry,
      `must be a range of VLANs within ${VLANS.low}-${VLANS.high}, the lower one first`,
    )
  return { vid, vidEnd }
}
