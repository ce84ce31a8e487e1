import { ConfigInvalid } from '@libcontainer/sys'
import { type Amount, checkWhole, type Limit } from '../limits/amount.js'
import type { IoDeviceLimits, IoLimits } from '../limits/io.js'
import type { Limits } from '../limits/limits.js'
import type { RdmaDeviceLimits } from '../limits/rdma.js'

/** The controllers that few use, in libcontainer's words. Lists of disks are objects or, as 2015 had them, lines `8:0 1048576`. */
export interface ClassicFurther {
  blkio_weight?: number | undefined
  blkio_leaf_weight?: number | undefined
  blkio_weight_device?: ClassicDisks
  blkio_throttle_read_bps_device?: ClassicDisks
  blkio_throttle_write_bps_device?: ClassicDisks
  blkio_throttle_read_iops_device?: ClassicDisks
  blkio_throttle_write_iops_device?: ClassicDisks
  hugetlb_limit?: readonly { readonly page_size: string; readonly limit: Amount }[] | null | undefined
  /** 2015 has it as text, and `''` for what is not given. */
  net_cls_classid?: string | number | undefined
  net_prio_ifpriomap?: readonly { readonly interface: string; readonly priority: number }[] | null | undefined
  rdma?:
    | Readonly<Record<string, { readonly hca_handles?: number | null; readonly hca_objects?: number | null }>>
    | null
    | undefined
}

/** A disk with its weight or its rate. 0 is "not given" for a weight and "no limit" for a rate. */
export interface ClassicDisk {
  readonly major: number
  readonly minor: number
  readonly weight?: number | undefined
  readonly leafWeight?: number | undefined
  readonly rate?: Amount | undefined
}

type ClassicDisks = string | readonly (string | ClassicDisk)[] | null | undefined

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const RATES = {
  blkio_throttle_read_bps_device: 'rbps',
  blkio_throttle_write_bps_device: 'wbps',
  blkio_throttle_read_iops_device: 'riops',
  blkio_throttle_write_iops_device: 'wiops',
} as const

/** All that is said of one disk comes together. */
export function classicIo(classic: ClassicFurther): IoLimits | undefined {
  const disks = new Map<string, Mutable<IoDeviceLimits>>()
  const diskOf = ({ major, minor }: ClassicDisk): Mutable<IoDeviceLimits> => {
    const key = `${major}:${minor}`
    const disk = disks.get(key) ?? { major, minor }
    disks.set(key, disk)
    return disk
  }
  for (const disk of classicDisks('blkio_weight_device', classic.blkio_weight_device)) {
    const { weight = disk.rate as number | undefined, leafWeight } = disk
    if (!weight && !leafWeight) {
      throw new ConfigInvalid('blkio_weight_device', disk, 'has neither a weight nor a leaf weight')
    }
    Object.assign(diskOf(disk), weight && { blkioWeight: weight }, leafWeight && { leafWeight })
  }
  for (const [field, rate] of Object.entries(RATES) as [keyof typeof RATES, 'rbps'][]) {
    for (const disk of classicDisks(field, classic[field])) diskOf(disk)[rate] = rateOf(field, disk)
  }
  const { blkio_weight: weight, blkio_leaf_weight: leafWeight } = classic
  if (!weight && !leafWeight && disks.size === 0) return undefined
  return {
    blkioWeight: weight || undefined,
    leafWeight: leafWeight || undefined,
    devices: disks.size === 0 ? undefined : [...disks.values()],
  }
}

function rateOf(field: string, disk: ClassicDisk): Limit {
  if (disk.rate === undefined) throw new ConfigInvalid(field, disk, 'has no rate')
  checkWhole(field, disk.rate)
  return Number(disk.rate) === 0 ? 'max' : disk.rate
}

function classicDisks(field: string, disks: ClassicDisks): ClassicDisk[] {
  if (disks === null || disks === undefined || disks === '') return []
  return (typeof disks === 'string' ? disks.split('\n') : disks).map(disk => {
    if (typeof disk !== 'string') return disk
    const match = /^\s*(\d+):(\d+)\s+(\d+)\s*$/.exec(disk)
    if (match === null) throw new ConfigInvalid(field, disk, "must be a line such as '8:0 1048576'")
    const [major, minor, rate] = match.slice(1).map(Number) as [number, number, number]
    return { major, minor, rate }
  })
}

export function classicHugetlb(limits: ClassicFurther['hugetlb_limit']): Limits['hugetlb'] {
  if (!limits || limits.length === 0) return undefined
  return Object.fromEntries(limits.map(({ page_size, limit }) => [page_size, { max: limit > MOST ? 'max' : limit }]))
}

/** What the kernel counts to; the specification's numbers go further. */
const MOST = 2n ** 63n - 1n

export function classicRdma(devices: ClassicFurther['rdma']): Limits['rdma'] {
  if (devices === null || devices === undefined) return undefined
  const entries = Object.entries(devices).map(([name, { hca_handles, hca_objects }]): [string, RdmaDeviceLimits] => [
    name,
    { hcaHandle: hca_handles ?? undefined, hcaObject: hca_objects ?? undefined },
  ])
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

export function classicNet({ net_cls_classid: id, net_prio_ifpriomap: priorities }: ClassicFurther): Partial<Limits> {
  const classid = id === undefined || id === '' ? 0 : Number(id)
  if (!Number.isSafeInteger(classid))
    throw new ConfigInvalid('net_cls_classid', id, 'must be a number such as 0x100001')
  return {
    netCls: classid === 0 ? undefined : { classid },
    netPrio:
      !priorities || priorities.length === 0
        ? undefined
        : { ifpriomap: Object.fromEntries(priorities.map(one => [one.interface, one.priority])) },
  }
}
