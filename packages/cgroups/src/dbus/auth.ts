import { decodeUtf8, encodeUtf8, ids, LibcontainerError } from '@libcontainer/sys'

/** Bytes each way, while two sides agree on who they are. */
export interface Talk {
  send(bytes: Uint8Array): Promise<void>
  /** The next line, without its end. */
  line(): Promise<string>
}

/**
 * Says who this is, by what the kernel tells the other side of the socket: `EXTERNAL` of SASL.
 *
 * Without a number first, since in a user namespace the one that this process knows of itself is not the one that the service sees; then with
 * it, for services that know no other way.
 */
export async function authenticate({ send, line }: Talk): Promise<void> {
  await send(encodeUtf8('\0AUTH EXTERNAL\r\n'))
  let answer = await line()
  if (answer === 'DATA' || answer.startsWith('DATA ')) {
    await send(encodeUtf8('DATA\r\n'))
    answer = await line()
  }
  if (!answer.startsWith('OK')) {
    const digits = Array.from(String(ids().euid), digit => digit.charCodeAt(0).toString(16)).join('')
    await send(encodeUtf8(`AUTH EXTERNAL ${digits}\r\n`))
    answer = await line()
  }
  confirmLetIn(answer)
  await send(encodeUtf8('BEGIN\r\n'))
}

/**
 * The same to systemd's own socket, all of it at once, as its own programs do: a message that systemd reads together with `BEGIN` lies there until
 * more comes, and here none is sent before that was read.
 */
export async function authenticateAtOnce({ send, line }: Talk): Promise<void> {
  await send(encodeUtf8('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'))
  // To the first line older ones say OK already.
  const first = await line()
  if (!first.startsWith('DATA')) confirmLetIn(first)
  confirmLetIn(await line())
}

function confirmLetIn(answer: string): void {
  if (answer.startsWith('OK')) return
  throw new LibcontainerError('EACCES', `the bus does not let uid ${ids().euid} in: it says '${answer.slice(0, 80)}'`, {
    hint: 'an ordinary user has a bus of his own: XDG_RUNTIME_DIR says where',
  })
}

/** The first line of these bytes, and how many it takes; `undefined` while its end is not there. @throws for one without an end */
export function firstLine(bytes: Uint8Array): { line: string; size: number } | undefined {
  const end = bytes.indexOf(0x0a)
  if (end < 0 && bytes.length < MAX_LINE) return undefined
  if (end < 0 || end > MAX_LINE || bytes[end - 1] !== 0x0d)
    throw new LibcontainerError('EPROTO', 'what listens there does not speak D-Bus: its answer is no line')
  return { line: decodeUtf8(bytes.subarray(0, end - 1)), size: end + 1 }
}

const MAX_LINE = 4096
