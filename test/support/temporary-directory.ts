import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryDirectory extends Disposable {
  /** Absolute, without links. */
  readonly path: string
}

/** A directory of the test's own, removed with all that is in it at the end of the `using` block. */
export function temporaryDirectory(prefix: string): TemporaryDirectory {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)))
  return { path, [Symbol.dispose]: () => remove(path) }
}

/** A mount that a test left inside is not followed: behind a bind of the host stand the host's own files. */
function remove(path: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point.startsWith(path))
  if (mounts.length > 0) throw new Error(`left mounted, and so left there: ${mounts.join(', ')}`)
  rmSync(path, { recursive: true, force: true })
}
