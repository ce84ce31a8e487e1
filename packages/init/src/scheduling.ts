import { ConfigInvalid, type Step } from '@libcontainer/sys'

/** The policies of sched(7), with their numbers. */
const POLICIES = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
} as const

/** The flags of sched_setattr(2), with their bits. */
const FLAGS = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
} as const

/** How a process shares the processors: sched_setattr(2). */
export interface Scheduler {
  readonly policy: keyof typeof POLICIES
  readonly flags?: readonly (keyof typeof FLAGS)[] | undefined
  /** -20, most favoured, to 19: of `SCHED_OTHER` and `SCHED_BATCH`. */
  readonly nice?: number | undefined
  /** 1 to 99: of `SCHED_FIFO` and `SCHED_RR`. */
  readonly priority?: number | undefined
  /** Nanoseconds, of `SCHED_DEADLINE`. */
  readonly runtimeNs?: number | bigint | undefined
  readonly deadlineNs?: number | bigint | undefined
  readonly periodNs?: number | bigint | undefined
  /** 0 to 1024: how fast a processor runs for it at least and at most, with the flags `SCHED_FLAG_UTIL_CLAMP_MIN` and `…_MAX`. Default: 0 and 1024. */
  readonly utilMin?: number | undefined
  readonly utilMax?: number | undefined
}

const CLASSES = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 } as const

/** How a process shares the disks: ioprio_set(2). */
export interface IoPriority {
  readonly class: keyof typeof CLASSES
  /** 0, most favoured, to 7. Default: 0. */
  readonly level?: number | undefined
}

const DOMAINS = { LINUX: 0, LINUX32: 8 } as const

/** Which kernel a program believes to run on: personality(2). */
export type Personality = keyof typeof DOMAINS

const TIMES = ['runtimeNs', 'deadlineNs', 'periodNs'] as const

/** Refuses what the kernel would, or would take for something else. @throws {ConfigInvalid} */
export function checkScheduler(value: unknown, field: string): asserts value is Scheduler {
  const { policy, flags = [], nice, priority, utilMin, utilMax, ...others } = object<Scheduler>(value, field)
  oneOf(policy, POLICIES, `${field}.policy`)
  if (!Array.isArray(flags)) throw new ConfigInvalid(`${field}.flags`, flags, 'must be a list')
  for (const [i, flag] of flags.entries()) oneOf(flag, FLAGS, `${field}.flags[${i}]`)
  integer(nice, -20, 19, `${field}.nice`)
  integer(priority, 0, 99, `${field}.priority`)
  checkClamp(utilMin, 'MIN', flags, `${field}.utilMin`)
  checkClamp(utilMax, 'MAX', flags, `${field}.utilMax`)
  if (Number(utilMin ?? 0) > Number(utilMax ?? 1024))
    throw new ConfigInvalid(`${field}.utilMin`, utilMin, `must not be above utilMax, ${utilMax}`)
  if (nice && policy !== 'SCHED_OTHER' && policy !== 'SCHED_BATCH')
    throw new ConfigInvalid(`${field}.nice`, nice, `is of SCHED_OTHER and SCHED_BATCH alone, not ${policy}`)
  if (priority && policy !== 'SCHED_FIFO' && policy !== 'SCHED_RR')
    throw new ConfigInvalid(`${field}.priority`, priority, `is of SCHED_FIFO and SCHED_RR alone, not ${policy}`)
  for (const [name, time] of Object.entries(others)) {
    if (!TIMES.includes(name as (typeof TIMES)[number]))
      throw new ConfigInvalid(
        `${field}.${name}`,
        time,
        `must be one of policy, flags, nice, priority, ${TIMES.join(', ')}, utilMin, utilMax`,
      )
    if (time === undefined) continue
    const valid =
      typeof time === 'bigint' ? time >= 0n && time < 1n << 63n : Number.isSafeInteger(time) && Number(time) >= 0
    if (!valid) throw new ConfigInvalid(`${field}.${name}`, time, 'must be nanoseconds, 0 or more')
    if (time && policy !== 'SCHED_DEADLINE')
      throw new ConfigInvalid(`${field}.${name}`, time, `is of SCHED_DEADLINE alone, not ${policy}`)
  }
}

/** Without its flag the kernel would not look at it. */
function checkClamp(value: unknown, which: 'MIN' | 'MAX', flags: readonly unknown[], field: string): void {
  integer(value, 0, 1024, field)
  const flag = `SCHED_FLAG_UTIL_CLAMP_${which}`
  if (value !== undefined && !flags.includes(flag)) throw new ConfigInvalid(field, value, `needs ${flag} in flags`)
}

/** Refuses what ioprio_set(2) would. @throws {ConfigInvalid} */
export function checkIoPriority(value: unknown, field: string): asserts value is IoPriority {
  const { class: name, level, ...others } = object<IoPriority>(value, field)
  for (const [key, other] of Object.entries(others))
    throw new ConfigInvalid(`${field}.${key}`, other, 'must be one of class, level')
  oneOf(name, CLASSES, `${field}.class`)
  integer(level, 0, 7, `${field}.level`)
}

/** Refuses a domain that is not known. @throws {ConfigInvalid} */
export function checkPersonality(value: unknown, field: string): asserts value is Personality {
  oneOf(value, DOMAINS, field)
}

/** Both in one number. Without the flag it is 0, as it must be for a kernel that knows no such field. */
const clamps = ({ flags = [], utilMin = 0, utilMax = 1024 }: Scheduler): number =>
  utilMin | (flags.includes('SCHED_FLAG_UTIL_CLAMP_MAX') ? utilMax << 16 : 0)

/** sched_setattr(2). */
export const setScheduler = (scheduler: Scheduler): Step => ({
  op: 'setScheduler',
  args: [
    POLICIES[scheduler.policy],
    (scheduler.flags ?? []).reduce((bits, flag) => bits | FLAGS[flag], 0),
    scheduler.nice ?? 0,
    scheduler.priority ?? 0,
    ...TIMES.map(name => BigInt(scheduler[name] ?? 0)),
    clamps(scheduler),
  ],
  about: `be scheduled by ${scheduler.policy}`,
  hints: {
    EPERM:
      'it needs CAP_SYS_NICE; SCHED_DEADLINE is refused, too, where a cpuset keeps the process from some processors: give it all of an exclusive one; SCHED_FIFO and SCHED_RR where cgroup v1 gives the container no time for them: cpu.rtRuntimeUs',
    EBUSY: 'other deadline tasks have what is asked for',
    EOPNOTSUPP: 'this kernel was built without the clamps of utilisation: CONFIG_UCLAMP_TASK',
    EINVAL: 'a deadline needs runtime ≤ deadline ≤ period, of 1024 ns or more; SCHED_ISO no kernel has yet',
  },
})

/** ioprio_set(2). */
export const setIoPriority = ({ class: name, level = 0 }: IoPriority): Step => ({
  op: 'setIoPriority',
  args: [(CLASSES[name] << 13) | level],
  about: `do input and output as ${name} ${level}`,
  hints: { EPERM: 'IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN' },
})

/** personality(2). */
export const setPersonality = (domain: Personality): Step => ({
  op: 'setPersonality',
  args: [DOMAINS[domain]],
  about: `be of the personality ${domain}`,
})

/**
 * Core scheduling: no core runs others at one time with what the process and its children run. PR_SCHED_CORE of prctl(2), Linux 5.14. Where a core runs one thread
 * alone, the kernel has nothing to keep apart, and the step is skipped.
 *
 * @param pid - of the process whose company it joins, as the host sees it. Default: none, and it is the first
 */
export const setCoreScheduling = (pid = 0): Step => ({
  op: 'coreScheduling',
  args: [pid],
  about: pid === 0 ? 'share no core with others' : `share cores with process ${pid} alone`,
  hints: {
    EINVAL: 'this kernel has no core scheduling: CONFIG_SCHED_CORE, Linux 5.14',
    ESRCH: 'the process whose cores are to be shared has ended',
    EPERM: 'the process whose cores are to be shared may not be looked into',
  },
  onError: { ENODEV: 'skip' },
})

/** @param processors - their numbers */
export function setAffinity(processors: readonly number[]): Step {
  const mask = new Uint8Array(8 * Math.ceil((Math.max(0, ...processors) + 1) / 64))
  for (const number of processors) mask[number >> 3]! |= 1 << (number & 7)
  return {
    op: 'setAffinity',
    args: [mask],
    about: `run on the processors ${processors.join(', ')}`,
    hints: { EINVAL: 'none of them is there and in the cpuset of the container' },
  }
}

function object<T>(value: unknown, field: string): Partial<Record<keyof T, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, 'must be an object')
  return value as Partial<Record<keyof T, unknown>>
}

function oneOf(value: unknown, known: object, field: string): void {
  if (typeof value !== 'string' || !Object.hasOwn(known, value))
    throw new ConfigInvalid(field, value, `must be one of ${Object.keys(known).join(', ')}`)
}

function integer(value: unknown, low: number, high: number, field: string): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
    throw new ConfigInvalid(field, value, `must be an integer from ${low} to ${high}`)
}
