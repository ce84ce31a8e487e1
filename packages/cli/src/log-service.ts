import {
  connectUnix,
  encodeUtf8,
  LibcontainerError,
  type LogLevel,
  SOCK_DGRAM,
  SyscallError,
  sendMessage,
  visibleLine,
} from '@libcontainer/sys'

/** A log of the system: syslog(3)'s, or the journal of systemd. */
export type LogService = 'syslog' | 'journald'

const sockets = { syslog: '/dev/log', journald: '/run/systemd/journal/socket' }
/** syslog(3) */
const priorities = { error: 3, warn: 4, info: 6, debug: 7 }
const LOG_DAEMON = 3 << 3

/** What the service takes: a datagram for each message, of one line. */
const entries = {
  syslog: (name: string, priority: number, line: string) => `<${LOG_DAEMON | priority}>${name}: ${line}`,
  journald: (name: string, priority: number, line: string) =>
    `PRIORITY=${priority}\nSYSLOG_IDENTIFIER=${name}\nMESSAGE=${line}\n`,
}

/**
 * Opens a log of the system.
 *
 * @param name - what its messages are told by
 * @returns what writes a message to it; one that cannot be sent is lost, as with syslog(3)
 * @throws {LibcontainerError} where the service does not run
 */
export async function openLogService(
  service: LogService,
  name: string,
  path = sockets[service],
): Promise<(level: LogLevel, message: string) => void> {
  const socket = await connectUnix(path, SOCK_DGRAM).catch((cause: Error) => {
    throw new LibcontainerError('ERR_UNSUPPORTED', `there is no ${service} to log to: ${cause.message}`, {
      cause,
      hint: 'log to a file: --log FILE',
    })
  })
  return (level, message) => {
    const line = visibleLine(message.replaceAll('\n', ' '))
    try {
      sendMessage(socket, encodeUtf8(entries[service](name, priorities[level], line)))
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
    }
  }
}
