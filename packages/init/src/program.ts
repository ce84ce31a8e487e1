import { loadAsset, type OwnedFd, programFd } from '@libcontainer/sys'

let bytes: Uint8Array | undefined
let shared: OwnedFd | undefined

/**
 * The `init` program, ready to execute: in a sealed memfd that all containers of this process share, or a copy of its own for each
 * where one container could spoil it for the next. `done` closes such a copy.
 */
export function initProgram(): { program: OwnedFd; done: () => void } {
  if (shared !== undefined) return { program: shared, done: () => {} }
  bytes ??= loadAsset('init', import.meta.url)
  const carrier = programFd(bytes)
  if (!carrier.shared) return { program: carrier.fd, done: () => carrier.fd.close() }
  shared = carrier.fd
  bytes = undefined
  return { program: shared, done: () => {} }
}
