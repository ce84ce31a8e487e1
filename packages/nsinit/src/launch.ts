import type { Invocation } from '@libcontainer/cli'
import { openSession, openStreams, ownTerminals, type Session, type Streams } from '@libcontainer/cli/foreground'
import type { JsonStatus } from '@libcontainer/cli/json-status'
import { isTerminal, stdioMode } from '@libcontainer/console'
import type { Container, Process, ProcessDefaults, ProcessSpec, Stdio } from '@libcontainer/container'
import { ConfigInvalid, O_NOCTTY, O_RDWR, type OwnedFd, openFile, SyscallError } from '@libcontainer/sys'
import { programOf } from './program.js'

export type { Session }

/** Starts a program in a container: its first, or a further one, or as `run` does. */
export async function launch(
  container: Container,
  invocation: Invocation,
  defaults: ProcessDefaults,
  run: (spec: ProcessSpec) => Promise<Process> = spec => container.run(spec),
): Promise<Session> {
  const spec = await programOf(invocation, defaults)
  const told = await statusFor(invocation)
  const streams = await streamsFor(invocation, Boolean(spec.terminal))
  const start = (): Promise<Process> =>
    run(streams === undefined ? spec : { ...spec, terminal: false, stdio: streams.stdio })
  return await openSession(start, { streams, told })
}

/** Before anything is started: what cannot be told is refused. */
async function statusFor(invocation: Invocation): Promise<JsonStatus | undefined> {
  if (!invocation.flags.has('json-status-fd')) return undefined
  const { jsonStatus } = await import('@libcontainer/cli/json-status')
  return await jsonStatus(invocation)
}

async function streamsFor({ flags }: Invocation, terminal: boolean): Promise<Streams | undefined> {
  const path = flags.get('console')
  if (path) return consoleStreams(await openConsole(path))
  return terminal ? undefined : openStreams(stdioMode({ terminal, detached: false, ownTerminals: ownTerminals() }))
}

/** A terminal that somebody else has made for the program, as in late 2014. */
async function openConsole(path: string): Promise<OwnedFd> {
  let file: OwnedFd
  try {
    file = await openFile(path, O_RDWR | O_NOCTTY)
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause
    throw new ConfigInvalid('--console', path, `cannot be opened: ${cause.code}`, { cause })
  }
  if (isTerminal(file.fd)) return file
  file.close()
  throw new ConfigInvalid('--console', path, 'must be a terminal')
}

function consoleStreams(file: OwnedFd): Streams {
  const stdio: [Stdio, Stdio, Stdio] = [file, file, file]
  return { stdio, pipes: [undefined, undefined, undefined], started: () => file.close(), close: () => file.close() }
}
