import { sysctlPath } from '@libcontainer/init'
import type { NamespaceKind } from '@libcontainer/namespaces'
import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'

/** The parameters of an ipc namespace: sysctl(5), ipc_namespaces(7). */
const ipcKeys = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(name => `kernel/${name}`),
)

/** Beside the field of that name. */
export const DOMAINNAME = 'kernel/domainname'

/** Which namespace a parameter belongs to; `undefined` for one that is the whole kernel's. */
function owner(path: string): NamespaceKind | undefined {
  if (ipcKeys.has(path) || path.startsWith('fs/mqueue/')) return 'ipc'
  if (path.startsWith('net/')) return 'net'
  if (path === DOMAINNAME) return 'uts'
  if (path.startsWith('user/')) return 'user'
  return undefined
}

/** Refusals of parameters that are not the container's own: set from inside they would change the host. */
export function sysctlProblems(
  sysctl: Readonly<Record<string, string>> | undefined,
  kinds: ReadonlySet<NamespaceKind>,
): ConfigInvalid[] {
  if (sysctl === undefined) return []
  if (typeof sysctl !== 'object' || sysctl === null || Array.isArray(sysctl))
    return [new ConfigInvalid('sysctl', sysctl, 'must be an object of names and values')]
  return Object.entries(sysctl).flatMap(([key, value]) => {
    try {
      checkSysctl(key, value, kinds)
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error
      return [error]
    }
    return []
  })
}

function checkSysctl(key: string, value: string, kinds: ReadonlySet<NamespaceKind>): void {
  const field = `sysctl['${key}']`
  kernelString(key, field)
  kernelString(value, field)
  const path = sysctlPath(key)
  if (path.split('/').some(part => part === '' || part === '.' || part === '..'))
    throw new ConfigInvalid(field, key, 'must be a name such as net.ipv4.ip_forward')
  if (path === 'kernel/hostname') throw new ConfigInvalid(field, value, 'is set by the field hostname')
  if (path === DOMAINNAME && encodeUtf8(value).length > 64)
    throw new ConfigInvalid(field, value, 'must have at most 64 bytes')
  const kind = owner(path)
  if (kind === undefined)
    throw new ConfigInvalid(field, value, 'is not in a separate kernel namespace: it would change the host')
  if (!kinds.has(kind))
    throw new ConfigInvalid(
      field,
      value,
      `belongs to the ${kind} namespace, and the container has none of its own: add ${kind} to namespaces`,
    )
}
