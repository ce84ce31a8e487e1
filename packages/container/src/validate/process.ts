import { ConfigInvalid, checkStdio, isDescriptor, kernelString, shown } from '@libcontainer/sys'
import { processCopy } from '../config/plain-copy.js'
import { DEFAULT_PATH, type ProcessSpec } from '../config/process-spec.js'
import { checkSharing } from '../config/sharing.js'
import { checkLabel, checkProfile } from '../plan/confinement.js'
import { isHostTerminal } from '../start/stdio.js'
import { checkBoolean, checkCapabilities, checkInteger, checkRlimits, checkSecureBits } from './shape.js'

const FIELDS: Readonly<Record<keyof ProcessSpec, true>> = {
  args: true,
  env: true,
  cwd: true,
  user: true,
  additionalGroups: true,
  terminal: true,
  plainNewlines: true,
  consoleSocket: true,
  pidfdSocket: true,
  subCgroupPaths: true,
  stdio: true,
  extraFds: true,
  capabilities: true,
  secureBits: true,
  rlimits: true,
  noNewPrivileges: true,
  apparmorProfile: true,
  selinuxLabel: true,
  umask: true,
  oomScoreAdj: true,
  scheduler: true,
  ioPriority: true,
  cpuAffinity: true,
  personality: true,
  memoryPolicy: true,
  ignorePaused: true,
  signal: true,
  timed: true,
  logLevel: true,
  failAt: true,
}

const MAX_ID = 4294967294

/** The process that is asked for, copied once and checked. @throws {ConfigInvalid} naming the field and the value */
export function checkedProcess(given: ProcessSpec): ProcessSpec {
  const spec = processCopy(given)
  checkProcess(spec)
  return spec
}

/** Refuses what cannot be run, before anything is touched. Pure. @throws {ConfigInvalid} naming the field and the value */
export function checkProcess(spec: ProcessSpec): void {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec))
    throw new ConfigInvalid('process', spec, 'must be an object with args')
  for (const [key, value] of Object.entries(spec)) {
    if (!Object.hasOwn(FIELDS, key)) {
      throw new ConfigInvalid(
        `process.${key}`,
        value,
        `is no field of a process; there are ${Object.keys(FIELDS).join(', ')}`,
      )
    }
  }
  if (!Array.isArray(spec.args) || spec.args.length === 0)
    throw new ConfigInvalid('process.args', spec.args, 'must name a program')
  spec.args.forEach((arg, i) => {
    kernelString(arg, `process.args[${i}]`)
  })
  environment(spec)
  const { cwd = '/' } = spec
  if (kernelString(cwd, 'process.cwd') === '' || !cwd.startsWith('/'))
    throw new ConfigInvalid('process.cwd', cwd, 'must be absolute')
  checkUser(spec)
  checkCapabilities(spec.capabilities, 'process.capabilities')
  checkSecureBits(spec.secureBits, 'process.secureBits')
  checkRlimits(spec.rlimits, 'process.rlimits')
  checkProfile(spec.apparmorProfile, 'process.apparmorProfile')
  checkLabel(spec.selinuxLabel, 'process.selinuxLabel')
  checkInteger('process.umask', spec.umask, 0, 0o777)
  checkInteger('process.oomScoreAdj', spec.oomScoreAdj, -1000, 1000)
  checkBoolean('process.noNewPrivileges', spec.noNewPrivileges)
  checkInteger('process.logLevel', spec.logLevel, 0, 6)
  checkBoolean('process.ignorePaused', spec.ignorePaused)
  checkSharing(spec, 'process.')
  checkStreams(spec)
  checkSockets(spec)
}

function checkUser({ user, additionalGroups = [] }: ProcessSpec): void {
  if (typeof user === 'object' && user !== null) {
    checkInteger('process.user.uid', user.uid ?? null, 0, MAX_ID)
    checkInteger('process.user.gid', user.gid, 0, MAX_ID)
  } else if (user !== undefined) {
    kernelString(user, 'process.user')
  }
  if (!Array.isArray(additionalGroups))
    throw new ConfigInvalid('process.additionalGroups', additionalGroups, 'must be a list')
  additionalGroups.forEach((group: string | number, i) => {
    if (typeof group === 'number') checkInteger(`process.additionalGroups[${i}]`, group, 0, MAX_ID)
    else kernelString(group, `process.additionalGroups[${i}]`)
  })
}

/** What can be handed to a child, with room for the streams and for what init needs itself. */
const MAX_EXTRA_FDS = 1000

function checkStreams({ terminal, plainNewlines, stdio, extraFds = [] }: ProcessSpec): void {
  if (isHostTerminal(terminal)) {
    if (!isDescriptor(terminal.slave))
      throw new ConfigInvalid('process.terminal.slave', terminal.slave, 'must be a descriptor')
  } else if (typeof terminal === 'object' && terminal !== null) {
    checkInteger('process.terminal.rows', terminal.rows ?? null, 1, 65535)
    checkInteger('process.terminal.columns', terminal.columns ?? null, 1, 65535)
  } else checkBoolean('process.terminal', terminal)
  checkBoolean('process.plainNewlines', plainNewlines)
  if (plainNewlines && (!terminal || isHostTerminal(terminal)))
    throw new ConfigInvalid(
      'process.plainNewlines',
      plainNewlines,
      "is a mode of a terminal of the container's own: set terminal",
    )
  if (terminal && stdio !== undefined)
    throw new ConfigInvalid('process.stdio', stdio, 'cannot be given with terminal, which is all three streams')
  checkStdio(stdio, 'process.stdio')
  if (!Array.isArray(extraFds)) throw new ConfigInvalid('process.extraFds', extraFds, 'must be a list of descriptors')
  if (extraFds.length > MAX_EXTRA_FDS)
    throw new ConfigInvalid('process.extraFds', extraFds.length, `must be ${MAX_EXTRA_FDS} descriptors at most`)
  extraFds.forEach((fd: unknown, i) => {
    if (!isDescriptor(fd)) throw new ConfigInvalid(`process.extraFds[${i}]`, fd, 'must be a descriptor')
  })
}

function checkSockets({ terminal, consoleSocket, pidfdSocket, subCgroupPaths }: ProcessSpec): void {
  for (const [field, path] of Object.entries({ consoleSocket, pidfdSocket })) {
    if (path !== undefined && kernelString(path, `process.${field}`) === '')
      throw new ConfigInvalid(`process.${field}`, path, 'must be the path of a socket')
  }
  if (consoleSocket !== undefined && (!terminal || isHostTerminal(terminal)))
    throw new ConfigInvalid(
      'process.consoleSocket',
      consoleSocket,
      "needs a terminal of the container's own to send: set terminal",
    )
  if (subCgroupPaths !== undefined && (typeof subCgroupPaths !== 'object' || subCgroupPaths === null))
    throw new ConfigInvalid('process.subCgroupPaths', subCgroupPaths, 'must be an object of paths by controller')
}

/** The environment as a list: `=` in each, no empty names, the last of duplicates in the place of the first. */
export function environment({ env }: ProcessSpec): string[] {
  if (env === undefined) return [`PATH=${DEFAULT_PATH}`]
  if (typeof env !== 'object' || env === null)
    throw new ConfigInvalid('process.env', env, 'must be a list of NAME=value, or an object')
  const byName = new Map<string, string>()
  for (const [field, name, entry] of Array.isArray(env) ? listed(env) : named(env as Record<string, string>)) {
    kernelString(entry, field)
    if (name === '' || name.includes('='))
      throw new ConfigInvalid(field, entry, `must be NAME=value with a name, not ${shown(entry)}`)
    byName.set(name, entry)
  }
  return [...byName.values()]
}

type Variable = readonly [field: string, name: string, entry: string]

function listed(env: readonly string[]): Variable[] {
  return env.map((entry, i) => {
    const field = `process.env[${i}]`
    const equals = kernelString(entry, field).indexOf('=')
    return [field, equals < 1 ? '' : entry.slice(0, equals), entry]
  })
}

function named(env: Readonly<Record<string, string>>): Variable[] {
  return Object.entries(env).map(([name, value]) => {
    const field = `process.env.${name}`
    return [field, name, `${name}=${kernelString(value, field)}`]
  })
}

/** A variable of an environment list. */
export function variable(env: readonly string[], name: string): string | undefined {
  return env.find(entry => entry.startsWith(`${name}=`))?.slice(name.length + 1)
}
