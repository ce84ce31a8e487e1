import { LibcontainerError } from '@libcontainer/sys'

/** What a service answered instead of a result. `code` is D-Bus' name of it, such as `org.freedesktop.systemd1.NoSuchUnit`. */
export class DBusError extends LibcontainerError {
  override readonly name = 'DBusError'
  /** What was called. */
  readonly member: string

  constructor(code: string, message: string, member: string, hint?: string) {
    super(code, `${member}: ${message || 'refused without a word'} (${code})`, { hint })
    this.member = member
  }
}

/** A connection that is no more: `code` is `ECONNRESET`. */
export class DBusDisconnected extends LibcontainerError {
  override readonly name = 'DBusDisconnected'
  /** Whether all of the call was sent before: the service may have done it. */
  readonly sent: boolean

  constructor(message: string, { sent, cause }: { sent: boolean; cause?: unknown }) {
    super('ECONNRESET', message, { cause, hint: 'the service was restarted, or has refused this client: try again' })
    this.sent = sent
  }
}

/** What came is no D-Bus. */
export const protocolError = (problem: string): LibcontainerError =>
  new LibcontainerError('EPROTO', `a message of the bus ${problem}`)
