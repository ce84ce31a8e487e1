import { type Namespace, namespaceKind } from '@libcontainer/namespaces'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig, NamespaceRequest } from './config.js'

const DEFAULT: readonly NamespaceRequest[] = ['mnt', 'pid', 'ipc', 'uts', 'net']

/** The namespaces that a config asks for, in one shape. @throws {ConfigInvalid} for an unknown kind */
export function namespacesOf({ namespaces = DEFAULT }: ContainerConfig): Namespace[] {
  if (!Array.isArray(namespaces)) throw new ConfigInvalid('namespaces', namespaces, 'must be a list')
  return namespaces.map((request: NamespaceRequest, i) => namespaceOf(request, `namespaces[${i}]`))
}

export function namespaceOf(request: NamespaceRequest, field: string): Namespace {
  const asked = typeof request === 'object' && request !== null ? request : { kind: request }
  const { kind: word, path } = asked as { kind: unknown; path?: string | undefined }
  for (const name of Object.keys(asked)) {
    if (name !== 'kind' && name !== 'path')
      throw new ConfigInvalid(`${field}.${name}`, asked[name as 'kind'], 'must be one of kind, path')
  }
  const kind = typeof word === 'string' ? namespaceKind(word) : undefined
  if (kind === undefined)
    throw new ConfigInvalid(field, word, 'must be one of user, ipc, uts, net, pid, mnt, cgroup, time')
  return path === undefined ? { kind } : { kind, path }
}

/** Whether a container has mounts of its own, and not those of the process that made it. */
export const ownsMounts = ({ namespaces }: { readonly namespaces: readonly Namespace[] }): boolean =>
  namespaces.some(({ kind }) => kind === 'mnt')
