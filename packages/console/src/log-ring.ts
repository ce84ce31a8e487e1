import {
  ConfigInvalid,
  isErrno,
  kernelString,
  O_APPEND,
  O_CREAT,
  O_WRONLY,
  type OwnedFd,
  openFile,
  readBytes,
  rename,
  stat,
  writeFd,
} from '@libcontainer/sys'

/** Where the output of a console is kept. */
export interface ConsoleLog {
  /** Resolves when it is kept. The bytes stay the caller's. */
  write(bytes: Uint8Array): Promise<void>
}

const MOST = 2 ** 31 - 1

function checkSize(size: number, least: number): number {
  if (!Number.isInteger(size) || size < least || size > MOST)
    throw new ConfigInvalid('size', size, `must be a number of bytes from ${least} to ${MOST}`)
  return size
}

/** The last bytes of a console, in memory. */
export class MemoryLog implements ConsoleLog {
  readonly size: number
  readonly #ring: Uint8Array
  /** Where the next byte goes, of all that ever came. */
  #written = 0

  /** @param size - bytes that are kept @throws {ConfigInvalid} */
  constructor(size: number) {
    this.size = checkSize(size, 1)
    this.#ring = new Uint8Array(size)
  }

  /** How many bytes came, those that are gone among them. */
  get written(): number {
    return this.#written
  }

  async write(bytes: Uint8Array): Promise<void> {
    const kept = bytes.subarray(Math.max(0, bytes.length - this.size))
    const at = (this.#written + bytes.length - kept.length) % this.size
    const first = kept.subarray(0, this.size - at)
    this.#ring.set(first, at)
    this.#ring.set(kept.subarray(first.length), 0)
    this.#written += bytes.length
  }

  /** What is kept, the oldest first: a copy. */
  read(): Uint8Array {
    const length = Math.min(this.#written, this.size)
    const kept = new Uint8Array(length)
    const start = (this.#written - length) % this.size
    const first = this.#ring.subarray(start, Math.min(start + length, this.size))
    kept.set(first)
    kept.set(this.#ring.subarray(0, length - first.length), first.length)
    return kept
  }

  /** Forgets what is kept. */
  clear(): void {
    this.#written = 0
    this.#ring.fill(0)
  }
}

/** What came before the last half. */
const older = (path: string): string => `${path}.1`

/**
 * The last bytes of a console in files: `path`, and `path.1`, which came before it. Each holds at most half of the size, so that whatever is read at any time, and
 * after any crash, is whole, and plain text to whoever looks at it otherwise.
 */
export class FileLog implements ConsoleLog {
  readonly path: string
  readonly size: number
  #file: OwnedFd
  #length: number
  /** One write after the other. */
  #before: Promise<void> = Promise.resolve()

  private constructor(path: string, size: number, file: OwnedFd, length: number) {
    this.path = path
    this.size = size
    this.#file = file
    this.#length = length
  }

  /**
   * Goes on with what is there, or makes it, with mode 0600.
   *
   * @param path - absolute or relative, in a directory of one's own: whoever can change that decides what is written to
   * @param size - bytes that both files take together at most; at least half of them are kept
   * @throws {ConfigInvalid} for the size, {@link SyscallError} when the file cannot be had
   */
  static async open(path: string, { size }: { readonly size: number }): Promise<FileLog> {
    checkSize(size, 2)
    kernelString(path, 'path')
    const file = await openLog(path)
    try {
      return new FileLog(path, size, file, (await stat(path)).size)
    } catch (error) {
      file.close()
      throw error
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice()
    const write = this.#before.then(() => this.#append(copy))
    this.#before = write.catch(() => {})
    await write
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const half = Math.floor(this.size / 2)
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#length >= half) await this.#turn()
      const part = rest.subarray(0, half - this.#length)
      await writeFd(this.#file.fd, part)
      this.#length += part.length
      rest = rest.subarray(part.length)
    }
  }

  /** The file becomes the older one, whose place it takes. */
  async #turn(): Promise<void> {
    await rename(this.path, older(this.path))
    const file = await openLog(this.path)
    this.#file.close()
    this.#file = file
    this.#length = 0
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#before
    this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const openLog = async (path: string): Promise<OwnedFd> => await openFile(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)

/** What a {@link FileLog} at this path has kept, the oldest first, whether it is written to or not; nothing where there is none. */
export async function readFileLog(path: string): Promise<Uint8Array> {
  for (;;) {
    const before = await numberOf(path)
    const parts = [await bytesOf(older(path)), await bytesOf(path)]
    // It was turned meanwhile: a part would be missing, or be there twice.
    if ((await numberOf(path)) !== before) continue
    const all = new Uint8Array(parts[0]!.length + parts[1]!.length)
    all.set(parts[0]!)
    all.set(parts[1]!, parts[0]!.length)
    return all
  }
}

const absent = (error: unknown): undefined => {
  if (isErrno(error, 'ENOENT')) return undefined
  throw error
}
const bytesOf = async (path: string): Promise<Uint8Array> => (await readBytes(path).catch(absent)) ?? new Uint8Array(0)
const numberOf = async (path: string): Promise<unknown> => (await stat(path).catch(absent))?.inode
