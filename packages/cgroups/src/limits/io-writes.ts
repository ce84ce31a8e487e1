import { ConfigInvalid } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import type { Limit } from './amount.js'
import { bfqWeightFromIo, ioWeightFromBlkio } from './convert.js'
import type { IoDeviceLimits, IoLimits } from './io.js'
import type { CgroupWrite } from './write.js'

/** What brings a cgroup to these limits of disks. */
export function ioWrites(limits: IoLimits, version: 1 | 2): CgroupWrite[] {
  const { leafWeight, prioClass, devices = [] } = limits
  const words = version === 1 ? words1 : words2
  const writes = words.weight('io', '', limits)
  if (leafWeight !== undefined) writes.push(words.leaf('io.leafWeight', 'leaf_weight', String(leafWeight)))
  if (prioClass !== undefined) writes.push({ file: words.prioClass, value: prioClass })
  for (const [i, device] of devices.entries()) {
    const at = `io.devices[${i}]`
    const number = `${device.major}:${device.minor} `
    writes.push(...words.weight(at, number, device))
    if (device.leafWeight !== undefined) {
      writes.push(words.leaf(`${at}.leafWeight`, 'leaf_weight_device', number + device.leafWeight))
    }
    writes.push(...words.rates(number, device))
    if (device.latencyUs !== undefined)
      writes.push(words.latency(`${at}.latencyUs`, `${number}target=${device.latencyUs}`))
  }
  return writes
}

type Weights = Pick<IoLimits, 'weight' | 'blkioWeight'>
type Rates = Pick<IoDeviceLimits, 'rbps' | 'wbps' | 'riops' | 'wiops'>

/** How a version says it. `number` is a device's with a space, or empty for all devices. */
interface Words {
  readonly weight: (at: string, number: string, weights: Weights) => CgroupWrite[]
  readonly leaf: (at: string, file: string, value: string) => CgroupWrite
  readonly rates: (number: string, rates: Rates) => CgroupWrite[]
  readonly latency: (at: string, value: string) => CgroupWrite
  readonly prioClass: string
}

function givenOne(at: string, { weight, blkioWeight }: Weights): void {
  if (weight === undefined || blkioWeight === undefined) return
  throw new ConfigInvalid(`${at}.blkioWeight`, blkioWeight, 'says the same as the weight beside it: give one of them')
}

const words1: Words = {
  weight(at, number, weights) {
    givenOne(at, weights)
    const { weight, blkioWeight } = weights
    if (weight === undefined && blkioWeight === undefined) return []
    const value = number + (blkioWeight ?? bfqWeightFromIo(weight!))
    const device = number === '' ? '' : '_device'
    const bfq = { file: `blkio.bfq.weight${device}`, value }
    // Only CFQ had the plain one, and took no less than 10.
    return weight === undefined ? [{ file: `blkio.weight${device}`, value, otherwise: bfq }] : [bfq]
  },
  leaf: (_, file, value) => ({ file: `blkio.${file}`, value }),
  rates: (number, { rbps, wbps, riops, wiops }) =>
    Object.entries({ read_bps: rbps, write_bps: wbps, read_iops: riops, write_iops: wiops }).flatMap(([word, value]) =>
      value === undefined
        ? []
        : [{ file: `blkio.throttle.${word}_device`, value: `${number}${value === 'max' ? 0 : value}` }],
    ),
  latency: at => {
    throw new LimitUnsupported(
      at,
      'blkio',
      "cgroup v1's blkio controller has no target for latency",
      'it needs the io controller on cgroup v2: boot with systemd.unified_cgroup_hierarchy=1',
    )
  },
  prioClass: 'blkio.prio.class',
}

const words2: Words = {
  weight(at, number, weights) {
    givenOne(at, weights)
    const { weight, blkioWeight } = weights
    const io = (value: number): string => `${number || 'default '}${value}`
    if (blkioWeight !== undefined) {
      const otherwise = { file: 'io.weight', value: io(ioWeightFromBlkio(blkioWeight)) }
      return [{ file: 'io.bfq.weight', value: number + blkioWeight, otherwise }]
    }
    if (weight === undefined) return []
    // Without the cost model (CONFIG_BLK_CGROUP_IOCOST) BFQ may be there still.
    const otherwise = { file: 'io.bfq.weight', value: number + bfqWeightFromIo(weight) }
    return [{ file: 'io.weight', value: io(weight), otherwise }]
  },
  leaf: at => {
    throw new LimitUnsupported(at, 'io', "cgroup v2's io controller has no weight for leaves")
  },
  rates(number, { rbps, wbps, riops, wiops }) {
    const rates = Object.entries({ rbps, wbps, riops, wiops }).filter(
      (one): one is [string, Limit] => one[1] !== undefined,
    )
    if (rates.length === 0) return []
    return [{ file: 'io.max', value: number + rates.map(([word, value]) => `${word}=${value}`).join(' ') }]
  },
  latency: (_, value) => ({ file: 'io.latency', value }),
  prioClass: 'io.prio.class',
}
