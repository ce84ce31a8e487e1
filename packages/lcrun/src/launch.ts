import { type Invocation, isDebugging, isOn, warn } from '@libcontainer/cli'
import { openSession, openStreams, ownTerminalSize, ownTerminals, type Session } from '@libcontainer/cli/foreground'
import type { JsonStatus } from '@libcontainer/cli/json-status'
import { type StdioMode, stdioMode } from '@libcontainer/console'
import type { Process, ProcessSpec } from '@libcontainer/container'
import { passedDescriptors } from './descriptors.js'
import { absolute } from './paths.js'
import { writePidFile } from './pid-file.js'

export interface LaunchRequest {
  readonly invocation: Invocation
  readonly spec: ProcessSpec
  /** Nobody waits for it. */
  readonly detached: boolean
  /** What asks for its terminal, for errors. */
  readonly terminalField?: string
  /** Starts it. */
  readonly start: (spec: ProcessSpec) => Promise<Process>
}

/**
 * Starts a program with the streams, descriptors and sockets that a command line asks for, and writes its pid file; when that fails, it is killed.
 *
 * @returns the session of the foreground; `undefined` when it is detached
 */
export async function launch(request: LaunchRequest): Promise<Session | undefined> {
  const { invocation, detached } = request
  const mode = modeOf(request)
  if (mode.warning !== undefined) warn(mode.warning)
  const spec = await completed(request, mode)
  const told = await statusFor(invocation)
  const started = async (spec: ProcessSpec): Promise<Process> => {
    const process = await request.start(spec)
    await tellPid(process, invocation)
    return process
  }
  if (!detached) return await inForeground(spec, mode, started, { subreaper: !isOn(invocation, 'no-subreaper'), told })
  const process = await started(mode.stdio === undefined ? spec : { ...spec, stdio: 'inherit' })
  await told?.started(process)
  return undefined
}

function modeOf({ invocation, spec, detached, terminalField }: LaunchRequest): StdioMode {
  return stdioMode({
    terminal: Boolean(spec.terminal),
    detached,
    consoleSocket: invocation.flags.get('console-socket'),
    ...(terminalField === undefined ? {} : { terminalField }),
    ownTerminals: ownTerminals(),
  })
}

async function completed({ invocation, spec }: LaunchRequest, { consoleSocket }: StdioMode): Promise<ProcessSpec> {
  const { extraFds, env } = await passedDescriptors(invocation)
  const pidfdSocket = invocation.flags.get('pidfd-socket')
  return {
    ...spec,
    ...(env.length > 0 ? { env: [...((spec.env ?? []) as readonly string[]), ...env] } : {}),
    ...(extraFds.length > 0 ? { extraFds } : {}),
    ...(consoleSocket === undefined ? {} : { consoleSocket }),
    ...(isDebugging() ? { logLevel: 5 } : {}),
    ...(pidfdSocket === undefined ? {} : { pidfdSocket }),
  }
}

async function inForeground(
  spec: ProcessSpec,
  mode: StdioMode,
  start: (spec: ProcessSpec) => Promise<Process>,
  { subreaper, told }: { subreaper: boolean; told: JsonStatus | undefined },
): Promise<Session> {
  if (mode.kind === 'relay') {
    const terminal = spec.terminal === true ? ((await ownTerminalSize()) ?? true) : spec.terminal
    // What the program writes arrives with the newlines that it wrote, in a file too.
    return await openSession(() => start({ ...spec, terminal, plainNewlines: true }), {
      plainNewlines: true,
      subreaper,
      told,
    })
  }
  const streams = openStreams(mode)
  return await openSession(() => start({ ...spec, stdio: streams.stdio }), { streams, subreaper, told })
}

/** Before anything is started: what cannot be told is refused. */
async function statusFor(invocation: Invocation): Promise<JsonStatus | undefined> {
  if (!invocation.flags.has('json-status-fd')) return undefined
  const { jsonStatus } = await import('@libcontainer/cli/json-status')
  return await jsonStatus(invocation)
}

async function tellPid(process: Process, { flags }: Invocation): Promise<void> {
  const file = flags.get('pid-file')
  if (file === undefined) return
  try {
    await writePidFile(await absolute(file), process.pid)
  } catch (error) {
    process.signal('KILL')
    throw error
  }
}

/** Whether a command line asks not to be waited for. */
export const isDetached = (invocation: Invocation): boolean => isOn(invocation, 'detach')
