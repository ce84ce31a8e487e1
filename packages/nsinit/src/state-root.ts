import { environment, ids, LibcontainerError } from '@libcontainer/sys'

/** Where the state that is trusted lies unless `--root` says otherwise. */
export function defaultStateRoot(): string {
  if (ids().euid === 0) return '/var/run/nsinit'
  const runtime = environment.XDG_RUNTIME_DIR
  if (runtime?.startsWith('/')) return `${runtime}/nsinit`
  throw new LibcontainerError('ConfigInvalid', 'there is no directory for the state: XDG_RUNTIME_DIR is not set', {
    hint: 'run as root, or say where: --root DIR',
  })
}
