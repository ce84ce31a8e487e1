import { chmodSync, chownSync, copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../../../test/support/index.js'

export interface Scratch extends Disposable {
  /** A directory of the host that the test owns. */
  readonly path: string
  /** A root file system in it: busybox and nothing else, owned by what is root in the driver's user namespace. */
  readonly rootfs: string
}

/** A root file system with a shell, and a place of the host beside it that nothing may touch. */
export function scratch(): Scratch {
  const directory = temporaryDirectory('mount-')
  const rootfs = join(directory.path, 'rootfs')
  chmodSync(directory.path, 0o755)
  mkdirSync(join(rootfs, 'bin'), { recursive: true })
  chownSync(rootfs, 1_000_000, 1_000_000)
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of ['sh', 'cat', 'ls', 'touch', 'mount', 'stat', 'readlink', 'mkdir', 'rm']) {
    symlinkSync('busybox', join(rootfs, 'bin', applet))
  }
  return { path: directory.path, rootfs, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}
