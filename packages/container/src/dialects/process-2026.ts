import { checkIoPriority, checkScheduler, type IoPriority, type Personality, type Scheduler } from '@libcontainer/init'
import { ConfigInvalid } from '@libcontainer/sys'
import type { Command } from '../start/command.js'
import { type Hooks, hookPoints } from '../start/hooks.js'
import { refuseAll } from './cgroups.js'
import { Fields, type Integer, pruned } from './fields.js'
import { pickGiven } from './mounts.js'

/* What configs of 2026 have beside those of 2015: hooks, and how processes are scheduled. */

export function readHooks(file: Fields): Hooks | undefined {
  const hooks = file.object('Hooks') ?? file.object('hooks')
  if (hooks === undefined) return undefined
  const read = pruned(Object.fromEntries(hookPoints.map(point => [point, readCommands(hooks, point)])))
  hooks.end('the hooks of 2026')
  return Object.keys(read).length > 0 ? read : undefined
}

/** Go's durations are nanoseconds. */
const NS_PER_MS = 1e6

function readCommands(hooks: Fields, point: string): Command[] | undefined {
  const commands = hooks.list(point, (value, at) => {
    const hook = new Fields(value, at)
    const timeout = hook.integer('timeout', 1)
    const args = hook.texts('args')
    const env = hook.texts('env')
    hook.refuse('dir', '@libcontainer/container')
    const command = pruned({
      path: hook.text('path') ?? '',
      args: args?.length ? args : undefined,
      env: env?.length ? env : undefined,
      timeoutMs: timeout === undefined ? undefined : Number(timeout) / NS_PER_MS,
    })
    hook.end('a hook')
    return command
  })
  return commands?.length ? commands : undefined
}

export function writeHooks(hooks: Hooks = {}): object {
  const write = (list: readonly Command[] | undefined): object[] | null =>
    list?.map(({ path, args = null, env = null, timeoutMs }) => ({
      path,
      args,
      env,
      dir: '',
      timeout: timeoutMs === undefined ? null : Math.round(timeoutMs * NS_PER_MS),
    })) ?? null
  return Object.fromEntries(hookPoints.map(point => [point, write(hooks[point])]))
}

export function readScheduler(scheduler: Fields | undefined): Scheduler | undefined {
  if (scheduler === undefined) return undefined
  const time = (name: string): Integer | undefined => scheduler.integer(name, 0) || undefined
  const flags = scheduler.texts('flags')
  const read = pruned({
    policy: (scheduler.text('policy') ?? '') as Scheduler['policy'],
    flags: flags?.length ? (flags as Scheduler['flags']) : undefined,
    nice: scheduler.number('nice') || undefined,
    priority: scheduler.number('priority') || undefined,
    runtimeNs: time('runtime'),
    deadlineNs: time('deadline'),
    periodNs: time('period'),
  })
  scheduler.end('the scheduler of 2026')
  checkScheduler(read, scheduler.at)
  return read
}

export function writeScheduler(scheduler: Scheduler): object {
  const { policy, flags, nice, priority, runtimeNs, deadlineNs, periodNs, ...unsaid } = scheduler
  refuseAll('scheduler', unsaid, '2026')
  return pickGiven({ policy, flags, nice, priority, runtime: runtimeNs, deadline: deadlineNs, period: periodNs })
}

export function readIoPriority(priority: Fields | undefined): IoPriority | undefined {
  if (priority === undefined) return undefined
  const read = { class: (priority.text('class') ?? '') as IoPriority['class'], level: priority.number('priority') ?? 0 }
  priority.end('the io_priority of 2026')
  checkIoPriority(read, priority.at)
  return read
}

/** personality(2)'s numbers, of which containers may have two. */
const personalities = new Map<number, Personality>([
  [0, 'LINUX'],
  [8, 'LINUX32'],
])

export function readPersonality(personality: Fields | undefined): Personality | undefined {
  if (personality === undefined) return undefined
  const domain = personality.number('domain') ?? 0
  const known = personalities.get(domain)
  personality.end('the personality of 2026')
  if (known === undefined)
    throw new ConfigInvalid(personality.field('domain'), domain, 'must be 0 (LINUX) or 8 (LINUX32)')
  return known
}
