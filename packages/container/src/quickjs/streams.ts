import { type OwnedFd, POLLIN, POLLOUT, poll, readFd, writeFd } from '@libcontainer/sys'

/** A pipe's end to read: what the program wrote, piece by piece. */
export interface Reader extends AsyncIterable<Uint8Array> {
  close(): void
}

/** A pipe's end to write to. */
export interface Writer {
  write(bytes: Uint8Array): Promise<void>
  end(): void
}

export function openReader(fd: OwnedFd): Reader {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          await poll(fd.fd, POLLIN)
          const buffer = new Uint8Array(65536)
          const size = await readFd(fd.fd, buffer)
          if (size === 0) return
          yield buffer.subarray(0, size)
        }
      } finally {
        fd.close()
      }
    },
    close: () => fd.close(),
  }
}

export function openWriter(fd: OwnedFd): Writer {
  return {
    async write(bytes) {
      await poll(fd.fd, POLLOUT)
      await writeFd(fd.fd, bytes)
    },
    end: () => fd.close(),
  }
}
