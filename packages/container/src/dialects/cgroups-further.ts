import type { ClassicDisk, ClassicLimits, Keyed } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerCgroups } from '../config/config.js'
import { Fields, type Integer, integer } from './fields.js'

/* The controllers that few use. */

type Year = '2014' | '2015' | '2026'
type Io = NonNullable<ContainerCgroups['io']>
type Disk = NonNullable<Io['devices']>[number]

const U32 = 0xffff_ffff
/** Of huge pages it is no limit. */
const U64 = 2n ** 64n - 1n
const LARGEST = 2n ** 63n - 1n

/** Names and the rates of a disk that they are for. */
const RATES = {
  blkio_throttle_read_bps_device: 'rbps',
  blkio_throttle_write_bps_device: 'wbps',
  blkio_throttle_read_iops_device: 'riops',
  blkio_throttle_write_iops_device: 'wiops',
} as const

const WEIGHTS = 'blkio_weight_device'

/** Disks, huge pages, marks of packets, RDMA and the memory of the kernel itself, as {@link ClassicLimits} have them. */
export function readFurther(fields: Fields, year: Year): ClassicLimits {
  const rates = Object.keys(RATES).map(name => [name, readDisks(fields, name)] as const)
  return {
    kernel_memory: fields.integer('kernel_memory', -1),
    blkio_weight: fields.number('blkio_weight', 0),
    blkio_leaf_weight: fields.number('blkio_leaf_weight', 0),
    [WEIGHTS]: readDisks(fields, WEIGHTS),
    ...Object.fromEntries(rates),
    hugetlb_limit: fields.list('hugetlb_limit', (value, at) => {
      const page = new Fields(value, at)
      const page_size = page.text('page_size')
      const limit = page.integer('limit', 0, U64) ?? 0
      if (page_size === undefined) throw new ConfigInvalid(page.field('page_size'), page_size, 'must be given')
      page.end('a limit of huge pages')
      return { page_size, limit }
    }),
    net_cls_classid: year === '2026' ? fields.number('net_cls_classid_u', 0) : readClassid(fields),
    net_prio_ifpriomap: fields.list('net_prio_ifpriomap', (value, at) => {
      const line = new Fields(value, at)
      const name = line.text('interface')
      if (name === undefined) throw new ConfigInvalid(line.field('interface'), name, 'must be given')
      const priority = line.number('priority', 0) ?? 0
      line.end('a priority of packets')
      return { interface: name, priority }
    }),
    ...(year === '2026' && { rdma: readRdma(fields.object('rdma'), fields.take('rdma')) }),
  }
}

/** Text, as a handle of tc(8). */
function readClassid(fields: Fields): string | undefined {
  const text = fields.text('net_cls_classid')
  if (text !== undefined && !(/^(?:0x[\da-f]+|\d+)$/i.test(text) && Number(text) <= U32))
    throw new ConfigInvalid(fields.field('net_cls_classid'), text, 'must be a number of 32 bits such as 0x100001')
  return text
}

function readRdma(devices: Fields | undefined, value: unknown): ClassicLimits['rdma'] {
  if (devices === undefined) return undefined
  return Object.fromEntries(
    Object.keys(value as object).map(name => {
      const device = new Fields(devices.take(name), devices.field(name))
      const limits = {
        hca_handles: device.number('hca_handles', 0) ?? null,
        hca_objects: device.number('hca_objects', 0) ?? null,
      }
      device.end('a limit of an RDMA device')
      return [name, limits] as const
    }),
  )
}

/** Objects, or lines `8:0 1048576` as 2015 has them: a text, or several. */
function readDisks(fields: Fields, name: string): ClassicDisk[] | undefined {
  const given = fields.take(name)
  const at = fields.field(name)
  if (typeof given === 'string') {
    const lines = given.split('\n').filter(line => line.trim() !== '')
    return lines.length === 0 ? undefined : lines.map(line => readLine(line, name, at))
  }
  return fields.list(name, (value, at) =>
    typeof value === 'string' ? readLine(value, name, at) : readDisk(new Fields(value, at), name),
  )
}

function readLine(line: string, name: string, at: string): ClassicDisk {
  const match = /^\s*(\d{1,10}):(\d{1,10})\s+(\d{1,20})\s*$/.exec(line)
  if (match === null) throw new ConfigInvalid(at, line, "must be a line such as '8:0 1048576'")
  const [major, minor] = match.slice(1).map(Number) as [number, number]
  const amount = integer(BigInt(match[3]!), at, 0, name === WEIGHTS ? U32 : LARGEST)
  return { major, minor, ...(name === WEIGHTS ? { weight: Number(amount) } : { rate: amount }) }
}

function readDisk(disk: Fields, name: string): ClassicDisk {
  const numbers = { major: disk.number('major', 0) ?? 0, minor: disk.number('minor', 0) ?? 0 }
  if (name !== WEIGHTS) {
    const rate = disk.integer('rate', 0, LARGEST)
    disk.end('a rate of a disk')
    if (rate === undefined) throw new ConfigInvalid(disk.field('rate'), rate, 'must be given')
    return { ...numbers, rate }
  }
  const weights = { weight: disk.number('weight', 0), leafWeight: disk.number('leafWeight', 0) }
  disk.end('a weight of a disk')
  if (!weights.weight && !weights.leafWeight)
    throw new ConfigInvalid(disk.at, numbers, 'has neither a weight nor a leafWeight')
  return { ...numbers, ...weights }
}

/** @throws {ConfigInvalid} for what that year has no word for */
export function writeFurther(cgroups: ContainerCgroups, year: '2015' | '2026'): Record<string, unknown> {
  const { io = {}, hugetlb = {}, netCls = {}, netPrio = {}, rdma = {} } = cgroups
  const { devices = [], blkioWeight, leafWeight, ...rest } = io
  refuse('cgroups.io', rest, year)
  const weighed = devices.flatMap((disk, i) => writeWeight(disk, `cgroups.io.devices[${i}]`, year))
  const rates = Object.entries(RATES).map(([name, rate]) => [
    name,
    inYear(
      year,
      devices.flatMap(({ major, minor, [rate]: value }) =>
        value === undefined ? [] : { major, minor, rate: value === 'max' ? 0 : value },
      ),
    ),
  ])
  return {
    blkio_weight: blkioWeight ?? 0,
    blkio_leaf_weight: leafWeight ?? 0,
    [WEIGHTS]: inYear(year, weighed),
    ...Object.fromEntries(rates),
    hugetlb_limit: orNull(
      entriesOf(hugetlb).map(([page_size, { max, ...more } = {}]) => {
        refuse(`cgroups.hugetlb.${page_size}`, { ...more, ...(max === undefined && { max }) }, year)
        return { page_size, limit: max === 'max' ? U64 : max }
      }),
    ),
    ...(year === '2026'
      ? { net_cls_classid_u: classid(netCls.classid, year) ?? 0, rdma: writeRdma(rdma) }
      : { net_cls_classid: String(classid(netCls.classid, year) ?? '') }),
    net_prio_ifpriomap: orNull(
      entriesOf(netPrio.ifpriomap ?? {}).map(([name, priority]) => ({ interface: name, priority })),
    ),
  }
}

const entriesOf = <T>(values: Keyed<T>): [string, T][] =>
  values instanceof Map ? [...values] : Object.entries(values as Readonly<Record<string, T>>)

const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list)

function writeWeight(disk: Disk, at: string, year: Year): ClassicDisk[] {
  const { major, minor, blkioWeight: weight, leafWeight, rbps: _, wbps: __, riops: ___, wiops: ____, ...more } = disk
  refuse(at, year === '2015' ? { ...more, leafWeight } : more, year)
  if (weight === undefined && leafWeight === undefined) return []
  return [{ major, minor, ...(weight !== undefined && { weight }), ...(leafWeight !== undefined && { leafWeight }) }]
}

/** 2015 had lines. */
function inYear(year: Year, disks: readonly ClassicDisk[]): string | readonly ClassicDisk[] | null {
  if (year !== '2015') return orNull(disks)
  return disks.map(({ major, minor, weight, rate }) => `${major}:${minor} ${rate ?? weight}`).join('\n')
}

function classid(id: Integer | undefined, year: Year): Integer | undefined {
  if (id === 0 || id === 0n)
    throw new ConfigInvalid('cgroups.netCls.classid', id, `cannot be said in ${year}, where 0 is not given`)
  return id
}

function writeRdma(rdma: NonNullable<ContainerCgroups['rdma']>): object | null {
  const entries = entriesOf(rdma).map(([name, { hcaHandle, hcaObject } = {}]) => {
    const at = `cgroups.rdma.${name}`
    const handles = handleCount(`${at}.hcaHandle`, hcaHandle)
    const objects = handleCount(`${at}.hcaObject`, hcaObject)
    return [
      name,
      {
        ...(handles !== undefined && { hca_handles: handles }),
        ...(objects !== undefined && { hca_objects: objects }),
      },
    ]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

function handleCount(field: string, value: Integer | 'max' | undefined): Integer | undefined {
  if (value === 'max' || (value !== undefined && value > U32))
    throw new ConfigInvalid(field, value, 'cannot be said in 2026, which has numbers of 32 bits')
  return value
}

function refuse(at: string, values: object, year: Year): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    throw new ConfigInvalid(`${at}.${name}`, value, `cannot be said in a config of ${year}`)
  }
}
