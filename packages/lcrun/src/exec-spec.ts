import { type CapabilitySets, capabilityName, capabilityNumber } from '@libcontainer/capabilities'
import { type Invocation, isOn, UsageError, warn } from '@libcontainer/cli'
import type { Container, Factory, ProcessSpec } from '@libcontainer/container'
import { ConfigInvalid, readText } from '@libcontainer/sys'
import { absolute } from './paths.js'
import { loadRecord } from './record.js'

/** The program that `exec` runs: of a file, or of the command line on top of what the container's own runs with. */
export async function execSpec(invocation: Invocation, factory: Factory, container: Container): Promise<ProcessSpec> {
  const { flags, operands } = invocation
  const ignorePaused = isOn(invocation, 'ignore-paused')
  const file = flags.get('process')
  const [, ...args] = operands
  if (file === undefined && args.length === 0)
    throw new UsageError('exec needs a command, or --process FILE', 'lcrun exec --help tells what there is')
  const spec = file === undefined ? await ofFlags(invocation, args, factory, container) : await ofFile(file)
  const apparmorProfile = flags.get('apparmor')
  const selinuxLabel = flags.get('process-label')
  const subCgroupPaths = await cgroupsOf(invocation, container)
  return {
    ...spec,
    ...(isOn(invocation, 'tty') && !spec.terminal ? { terminal: true } : {}),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(subCgroupPaths === undefined ? {} : { subCgroupPaths }),
    ...(ignorePaused ? { ignorePaused } : {}),
  }
}

async function ofFile(file: string): Promise<ProcessSpec> {
  const { parseProcess, toProcessSpec } = await import('@libcontainer/oci')
  const { process, warnings } = toProcessSpec(parseProcess(await readText(await absolute(file)), file))
  for (const warning of warnings) warn(warning)
  return process
}

async function ofFlags(
  invocation: Invocation,
  args: readonly string[],
  { root }: Factory,
  container: Container,
): Promise<ProcessSpec> {
  const { flags, lists } = invocation
  const base = await baseOf(root, container)
  const groups = (lists.get('additional-gids') ?? []).map(text => decimal('--additional-gids', text))
  const caps = lists.get('cap')
  const cwd = flags.get('cwd') ?? base.cwd
  return {
    args,
    env: [...((base.env ?? []) as readonly string[]), ...(lists.get('env') ?? []).map(variable)],
    ...(cwd === undefined ? {} : { cwd }),
    user: userOf(flags.get('user'), base.user),
    additionalGroups: [...(base.additionalGroups ?? []), ...groups],
    ...(caps === undefined ? {} : { capabilities: withCapabilities(container.config().capabilities, caps) }),
    ...(isOn(invocation, 'no-new-privs') ? { noNewPrivileges: true } : {}),
  }
}

/** What the container's own program runs with: as it was when the container was made; else as its bundle says now. */
async function baseOf(root: string, container: Container): Promise<Omit<ProcessSpec, 'args'>> {
  const record = await loadRecord(root, container.id)
  if (record !== undefined) return record.process
  const { bundle } = await container.ociState()
  if (bundle === '')
    throw new ConfigInvalid(
      'exec',
      container.id,
      'cannot tell whose environment and user it takes: there is no bundle',
      {
        hint: 'say all of it: lcrun exec --process FILE',
      },
    )
  const { parseSpec, toContainerConfig } = await import('@libcontainer/oci')
  const { process } = toContainerConfig(parseSpec(await readText(`${bundle}/config.json`)), {
    id: container.id,
    bundle,
  })
  if (process === undefined)
    throw new ConfigInvalid('process', process, 'must be given: exec takes environment and user of it')
  return process
}

function variable(entry: string): string {
  if (entry.indexOf('=') < 1) throw new ConfigInvalid('--env', entry, 'must be NAME=value')
  return entry
}

/** `UID[:GID]`, and no part of it empty: that is not root's. */
function userOf(text: string | undefined, base: ProcessSpec['user']): ProcessSpec['user'] {
  if (text === undefined) return base
  const [uid = '', gid, ...rest] = text.split(':')
  if (rest.length > 0) throw new ConfigInvalid('--user', text, 'must be UID[:GID]')
  const { gid: own } = typeof base === 'object' ? base : {}
  return { uid: decimal('--user', uid, text), gid: gid === undefined ? (own ?? 0) : decimal('--user', gid, text) }
}

function decimal(field: string, text: string, whole = text): number {
  const number = /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : -1
  if (number < 0 || number > 0xfffffffe)
    throw new ConfigInvalid(field, whole, `has a bad uid or gid '${text}': it must be a decimal number`)
  return number
}

/** Further ones that a program has at once. None becomes inheritable: what is, becomes ambient, so that it lasts over the exec. */
function withCapabilities(own: ProcessSpec['capabilities'], words: readonly string[]): ProcessSpec['capabilities'] {
  const added = words.map(word => capabilityName(capabilityNumber(word, '--cap')))
  if (own === undefined || own === null) return own
  const sets: CapabilitySets = isList(own) ? { bounding: own, effective: own, permitted: own } : own
  const { bounding = [], effective = [], permitted = [], inheritable = [], ambient = [] } = sets
  return {
    bounding: [...bounding, ...added],
    effective: [...effective, ...added],
    permitted: [...permitted, ...added],
    inheritable,
    ambient: [...ambient, ...added.filter(name => inheritable.includes(name))],
  }
}

const isList = (sets: CapabilitySets | readonly string[]): sets is readonly string[] => Array.isArray(sets)

/** `[CONTROLLER,…:]PATH`; without controllers it is that of all. */
async function cgroupsOf({ lists }: Invocation, container: Container): Promise<ProcessSpec['subCgroupPaths']> {
  const given = lists.get('cgroup')
  if (given === undefined) return undefined
  const { cgroup_paths } = await container.state()
  const named = Object.keys(cgroup_paths).filter(name => name !== '')
  const all = named.length > 0 ? named : ['']
  const paths: Record<string, string> = Object.create(null)
  for (const each of given) {
    const colon = each.indexOf(':')
    const controllers = colon < 0 ? all : each.slice(0, colon).split(',')
    for (const controller of controllers) {
      if (controller in paths) throw new ConfigInvalid('--cgroup', each, `is a second path for ${controller || 'all'}`)
      paths[controller] = each.slice(colon + 1)
    }
  }
  return paths
}
