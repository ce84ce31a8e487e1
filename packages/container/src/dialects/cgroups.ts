import { type ClassicLimits, cleanPath, limitsFromClassic } from '@libcontainer/cgroups'
import { DEFAULT_RULES, deviceRule, type RuleRequest } from '@libcontainer/devices'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerCgroups } from '../config/config.js'
import { readFurther, writeFurther } from './cgroups-further.js'
import { Fields, type Integer, isGiven, pruned } from './fields.js'
import { type DeviceNames, NAMES_2014, NAMES_2015 } from './lists.js'

/** By these a file chooses who makes its cgroup; here whoever makes the container does. */
const DRIVERS = ['slice', 'driver', 'scope_prefix'] as const

/** What {@link writeFurther} says. */
const FURTHER: ReadonlySet<string> = new Set(['io', 'hugetlb', 'rdma', 'netCls', 'netPrio'])

type Year = '2014' | '2015' | '2026'

/** Reads the cgroup section of any year. */
export function readCgroups(
  fields: Fields | undefined,
  year: Year,
  warn: (text: string) => void,
): ContainerCgroups | undefined {
  if (fields === undefined) return undefined
  const path = readPath(fields, year)
  const devices = year === '2026' ? readRules(fields) : readLists(fields, year === '2014' ? NAMES_2014 : NAMES_2015)
  const classic = { ...readLimits(fields), ...readFurther(fields, year), ...(year === '2026' && readModern(fields)) }
  const limits = limitsFromClassic(classic)
  const freezer = fields.text('freezer')
  if (freezer === 'FROZEN')
    throw new ConfigInvalid(
      fields.field('freezer'),
      freezer,
      'would keep the container from starting: pause it when it runs',
    )
  if (freezer !== undefined && freezer !== 'THAWED')
    throw new ConfigInvalid(fields.field('freezer'), freezer, 'must be FROZEN, THAWED or nothing')
  for (const name of year === '2026' ? [...DRIVERS, 'Systemd'] : DRIVERS) refuseDriver(fields, name)
  const modern = year === '2026' && {
    checkBeforeUpdate: fields.flag('memory_check_before_update') || undefined,
    owner: fields.number('owner_uid', 0, 0xffff_fffe),
  }
  if (year === '2026' && fields.flag('Rootless'))
    warn(`${fields.field('Rootless')}: changes nothing, what the kernel refuses is an error`)
  fields.end('a cgroup section')
  return pruned({ path, ...limits, devices, ...modern })
}

/** The unit of systemd that a file names: the driver takes it as a path. */
function refuseDriver(fields: Fields, name: string): void {
  const value = fields.take(name)
  if (!isGiven(value)) return
  throw new ConfigInvalid(fields.field(name), value, 'cannot be chosen by a file: it says where a unit of systemd is', {
    hint: "give Factory.open the cgroupDriver 'systemd', and cgroups.path as slice:prefix:name",
  })
}

/** `parent/name` or, since 2026, `path`, cleaned so that it climbs nowhere. */
function readPath(fields: Fields, year: Year): string | undefined {
  const name = fields.text('name')
  const parent = fields.text('parent')
  const path = fields.text('path')
  if (path !== undefined && (name !== undefined || parent !== undefined) && year !== '2026')
    throw new ConfigInvalid(fields.field('path'), path, 'must be alone, or name and parent without it')
  if (parent !== undefined && name === undefined && path === undefined)
    throw new ConfigInvalid(fields.field('name'), name, 'must be given where there is a parent')
  const whole = path ?? (parent === undefined ? name : `${parent}/${name}`)
  if (whole === undefined) return undefined
  const field = fields.field(path === undefined ? 'name' : 'path')
  const clean = cleanPath(whole, field)
  if (clean === '') throw new ConfigInvalid(field, whole, 'must name a cgroup below the top')
  return whole.startsWith('/') ? `/${clean}` : clean
}

function readLimits(fields: Fields): ClassicLimits {
  return {
    memory: fields.integer('memory', -1),
    memory_reservation: fields.integer('memory_reservation', -1),
    memory_swap: fields.integer('memory_swap', -1),
    memory_swappiness: fields.integer('memory_swappiness', -1),
    oom_kill_disable: fields.flag('oom_kill_disable'),
    cpu_shares: fields.number('cpu_shares', 0),
    cpu_quota: fields.integer('cpu_quota', -1),
    cpu_period: fields.integer('cpu_period', 0),
    // 2015 gave these two the keys of the two above them; its successors' are told apart.
    cpu_rt_quota: fields.integer('cpu_rt_quota', -1),
    cpu_rt_period: fields.integer('cpu_rt_period', 0),
    cpuset_cpus: fields.text('cpuset_cpus'),
    cpuset_mems: fields.text('cpuset_mems'),
  }
}

function readModern(fields: Fields): ClassicLimits {
  const unified = fields.map('unified')
  return {
    cpu_weight: fields.number('cpu_weight', 0),
    cpu_burst: fields.integer('cpu_burst', 0),
    cpu_idle: fields.number('cpu_idle'),
    pids_limit: fields.integer('pids_limit'),
    unified: unified && Object.fromEntries(unified),
  }
}

/** The classic policy: nothing but a list, or everything but a list. */
function readLists(fields: Fields, names: DeviceNames): RuleRequest[] | undefined {
  const read = (list: string, allow: boolean): RuleRequest[] | undefined =>
    fields.list(list, (value, at) => readRule(new Fields(value, at), names, allow))
  const all = fields.flag('allow_all_devices')
  const allowed = read('allowed_devices', true)
  const denied = read('denied_devices', false)
  if (all) return [{ allow: true, type: 'a', access: 'rwm' }, ...(denied ?? [])]
  return allowed
}

/** Rules in order. */
function readRules(fields: Fields): RuleRequest[] | undefined {
  return fields.list('devices', (value, at) => {
    const rule = new Fields(value, at)
    return readRule(rule, NAMES_2015, rule.flag('allow') ?? false)
  })
}

function readRule(rule: Fields, names: DeviceNames, allow: boolean): RuleRequest {
  const request: RuleRequest = {
    type: rule.take('type') as RuleRequest['type'],
    major: rule.number(names.major, -1) ?? 0,
    minor: rule.number(names.minor, -1) ?? 0,
    access: rule.text(names.access) ?? '',
    allow,
  }
  // A classic list may have whole devices in it: what their node looks like is no matter of the rule's.
  rule.text('path')
  for (const name of ['file_mode', 'uid', 'gid']) rule.number(name, 0)
  rule.flag('allow')
  rule.end('a device rule')
  const every = request.type === 'a' || request.type === 97
  return deviceRule(
    every ? { ...request, major: undefined, minor: undefined, access: request.access || 'rwm' } : request,
    rule.at,
  )
}

/** The cgroup section of a year. @throws {ConfigInvalid} for what that year cannot say */
export function writeCgroups(cgroups: ContainerCgroups = {}, year: Year): Record<string, unknown> {
  const { path, memory = {}, cpu = {}, cpuset = {}, pids = {}, devices, unified, ...rest } = cgroups
  const { checkBeforeUpdate, owner, ...more } = rest
  const others = Object.fromEntries(Object.entries(more).filter(([name]) => !FURTHER.has(name)))
  const { max, memswMax, low, swappiness, oomKillDisable, kernelMax, ...moreMemory } = memory
  const { shares, weight, quotaUs, periodUs, burstUs, idle, rtRuntimeUs, rtPeriodUs, ...moreCpu } = cpu
  const { cpus, mems, ...moreCpuset } = cpuset
  const modern = year === '2026'
  refuseAll('cgroups', year === '2014' ? more : others, year)
  refuseAll('cgroups.memory', year === '2014' ? { ...moreMemory, swappiness, oomKillDisable } : moreMemory, year)
  if (year !== '2015') refuseAll('cgroups.memory', { kernelMax }, year)
  const since2026 = { weight, burstUs, idle, ...moreCpu }
  refuseAll(
    'cgroups.cpu',
    modern ? moreCpu : year === '2014' ? { ...since2026, rtRuntimeUs, rtPeriodUs } : since2026,
    year,
  )
  refuseAll('cgroups.cpuset', moreCpuset, year)
  if (!modern) {
    refuseAll(
      'cgroups',
      { 'pids.max': pids.max, unified, rdma: more.rdma, owner, checkBeforeUpdate: checkBeforeUpdate || undefined },
      year,
    )
  }
  return {
    ...writePath(path, modern),
    ...writeRules(devices, year),
    memory: amount('cgroups.memory.max', max, year),
    memory_reservation: amount('cgroups.memory.low', low, year),
    memory_swap: amount('cgroups.memory.memswMax', memswMax, year),
    ...(year === '2015' && { kernel_memory: amount('cgroups.memory.kernelMax', kernelMax, year) }),
    ...(owner !== undefined && { owner_uid: owner }),
    ...(modern && { memory_check_before_update: checkBeforeUpdate ?? false }),
    ...(year !== '2014' && writeFurther(cgroups, year)),
    // Go's 2015 knows no absent number: -1 leaves the file alone.
    ...(year !== '2014' && {
      memory_swappiness: swappiness ?? (modern ? null : -1),
      oom_kill_disable: oomKillDisable ?? false,
    }),
    cpu_shares: amount('cgroups.cpu.shares', shares, year),
    cpu_quota: amount('cgroups.cpu.quotaUs', quotaUs, year),
    cpu_period: amount('cgroups.cpu.periodUs', periodUs, year),
    ...(year !== '2014' && {
      cpu_rt_quota: amount('cgroups.cpu.rtRuntimeUs', rtRuntimeUs, year),
      cpu_rt_period: amount('cgroups.cpu.rtPeriodUs', rtPeriodUs, year),
    }),
    cpuset_cpus: cpus ?? '',
    cpuset_mems: mems ?? '',
    ...(modern && {
      cpu_weight: amount('cgroups.cpu.weight', weight, year),
      cpu_burst: burstUs ?? null,
      cpu_idle: idle === undefined ? null : Number(idle),
      pids_limit: pids.max === undefined ? null : pids.max === 'max' ? -1 : pids.max,
      unified: unified ?? null,
    }),
    freezer: '',
  }
}

function writePath(path: string | undefined, modern: boolean): Record<string, string> {
  const clean = path === undefined ? '' : cleanPath(path, 'cgroups.path')
  const root = path?.startsWith('/') ? '/' : ''
  if (modern) return { path: root + clean }
  const end = clean.lastIndexOf('/')
  return { name: clean.slice(end + 1), parent: clean === '' ? '' : root + clean.slice(0, Math.max(0, end)) }
}

function writeRules(devices: readonly RuleRequest[] | undefined, year: Year): Record<string, unknown> {
  const rules = (devices ?? DEFAULT_RULES).map((rule, i) => deviceRule(rule, `cgroups.devices[${i}]`))
  const names = year === '2014' ? NAMES_2014 : NAMES_2015
  const write = ({ type, major = -1, minor = -1, access, allow }: (typeof rules)[number]): Record<string, unknown> => ({
    type: type.charCodeAt(0),
    [names.major]: major,
    [names.minor]: minor,
    [names.access]: access,
    ...(year === '2026' && { allow }),
  })
  if (year === '2026') return { devices: rules.map(write) }
  // Whatever stood before a rule for all devices is of no account.
  const start = rules.findLastIndex(({ type }) => type === 'a')
  const all = rules[start]?.allow ?? false
  const list = rules.slice(start + 1)
  const odd = list.find(({ allow }) => allow === all)
  if (odd !== undefined || (all && year === '2014' && list.length > 0))
    throw new ConfigInvalid('cgroups.devices', odd ?? list, `cannot be said in ${year}: all but some, or none but some`)
  const written = list.map(write)
  if (year === '2014') return { allow_all_devices: all, allowed_devices: all ? [] : written }
  return { allow_all_devices: all, allowed_devices: all ? null : written, denied_devices: all ? written : null }
}

/** Classic files mean "not given" by 0, and no limit by -1. */
function amount(field: string, value: Integer | 'max' | undefined, year: Year): Integer {
  if (value === undefined) return 0
  if (value === 'max') return -1
  if (value === 0 || value === 0n)
    throw new ConfigInvalid(field, value, `cannot be said in ${year}, where 0 is not given`)
  return value
}

/** Refuses what the caller has and a year has no word for. */
export function refuseAll(at: string, values: Readonly<Record<string, unknown>>, year: Year): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    throw new ConfigInvalid(at === '' ? name : `${at}.${name}`, value, `cannot be said in a config of ${year}`)
  }
}
