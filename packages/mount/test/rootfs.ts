import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Scratch {
  /** A directory of the host that the test owns. */
  readonly path: string
  /** A root file system in it: busybox and nothing else. */
  readonly rootfs: string
  close(): void
}

/** A root file system with a shell, and a place of the host beside it that nothing may touch. */
export function scratch(name: string): Scratch {
  const path = mkdtempSync(join(tmpdir(), `lc-mount-${name}-`))
  const rootfs = join(path, 'rootfs')
  mkdirSync(join(rootfs, 'bin'), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of ['sh', 'cat', 'ls', 'touch', 'mount', 'stat', 'readlink', 'mkdir', 'echo', 'test']) {
    symlinkSync('busybox', join(rootfs, 'bin', applet))
  }
  return { path, rootfs, close: () => rmSync(path, { recursive: true, force: true }) }
}
