import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { OwnedFd } from '@libcontainer/sys'

export type Reader = Readable
export type Writer = Writable

/** A pipe's end as a stream, which owns it from now on. */
export function openReader(fd: OwnedFd): Reader {
  return new Socket({ fd: fd.release(), readable: true, writable: false })
}

export function openWriter(fd: OwnedFd): Writer {
  return new Socket({ fd: fd.release(), readable: false, writable: true })
}
