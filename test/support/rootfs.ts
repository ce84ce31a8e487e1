import { cpSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js'

const busybox = fileURLToPath(new URL('../../test-rootfs/busybox', import.meta.url))

/** The absolute path of the busybox root filesystem that all tests share: to be read, not to be written to. */
export function busyboxRootfs(): string {
  if (!existsSync(busybox)) throw new Error(`${busybox} is absent: test-rootfs/busybox.sh makes it`)
  return busybox
}

/** A busybox root filesystem of the test's own, to change at will. */
export function copyOfBusyboxRootfs(): TemporaryDirectory {
  const copy = temporaryDirectory('rootfs-')
  cpSync(busyboxRootfs(), copy.path, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return copy
}
