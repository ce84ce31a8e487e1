import { type Invocation, isOn, type LogRequest, openLog } from '@libcontainer/cli'
import type { CgroupOption } from '@libcontainer/container'
import { defaultStateRoot } from '@libcontainer/container'
import { ConfigInvalid, type LogFormat, type LogLevel } from '@libcontainer/sys'
import { absolute } from './paths.js'

/** Opens the log that the flags before the command ask for. */
export async function openLogOf(invocation: Pick<Invocation, 'flags'>): Promise<void> {
  const { flags } = invocation
  await openLog({
    program: 'lcrun',
    debug: isOn(invocation, 'debug'),
    ...logPlace(invocation),
    format: flags.get('log-format') as LogFormat | undefined,
    level: logLevel(flags.get('log-level')),
  })
}

/** What the flags before the command say, checked; their log is opened first, so that it tells of the rest. */
export async function prepareGlobals(invocation: Invocation): Promise<void> {
  const { flags } = invocation
  await openLogOf(invocation)
  rootlessOf(invocation)
  if (flags.get('root') === '') throw new ConfigInvalid('--root', '', 'must name a directory')
}

/** What `--rootless` says of the cgroups; `undefined`: what this process is. */
export function rootlessOf({ flags }: Pick<Invocation, 'flags'>): boolean | undefined {
  const rootless = flags.get('rootless')
  if (rootless === undefined || /^auto$/i.test(rootless)) return undefined
  if (!/^(?:1|t|true|0|f|false)$/i.test(rootless))
    throw new ConfigInvalid('--rootless', rootless, 'must be true, false or auto')
  return /^(?:1|t)/i.test(rootless)
}

type Place = Pick<LogRequest, 'to' | 'services'>

/** crun's words say what kind of place it is; a path alone is a file. youki's `--systemd-log` is the journal, besides. */
function logPlace(invocation: Pick<Invocation, 'flags'>): Place {
  const log = invocation.flags.get('log')
  const journal = isOn(invocation, 'systemd-log') ? [{ service: 'journald', name: 'lcrun' } as const] : []
  const [, kind, rest = ''] = /^(file|syslog|journald):(.*)$/s.exec(log ?? '') ?? []
  if (kind === 'syslog' || kind === 'journald')
    return { to: undefined, services: [{ service: kind, name: rest || 'lcrun' }, ...journal] }
  const to = kind === undefined ? log : rest
  if (kind !== undefined && to === '') throw new ConfigInvalid('--log', log, 'must name a file')
  return { to: to || undefined, services: journal }
}

const logLevel = (word: string | undefined): LogLevel | undefined =>
  word === 'warning' ? 'warn' : (word as LogLevel | undefined)

/** Where the state of containers lies. */
export async function stateRootOf({ flags }: Pick<Invocation, 'flags'>): Promise<string> {
  const given = flags.get('root')
  if (given === undefined) return await defaultStateRoot('lcrun', '/run/lcrun')
  return await absolute(given)
}

/** Whether systemd makes the cgroups. */
export const isSystemd = (invocation: Invocation): boolean =>
  invocation.flags.get('cgroup-manager') === 'systemd' || isOn(invocation, 'systemd-cgroup')

/** Who makes the cgroups, as the flags say. */
export async function cgroupDriverOf(invocation: Invocation): Promise<CgroupOption> {
  if (isSystemd(invocation)) return 'systemd'
  if (invocation.flags.get('cgroup-manager') !== 'disabled') return 'cgroupfs'
  const { noCgroups } = await import('./no-cgroups.js')
  return noCgroups
}
