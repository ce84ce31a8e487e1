import { type Namespace, namespaceKind } from '@libcontainer/namespaces'
import { joinedNamespace, type NetworkNamespace } from '@libcontainer/network/config'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig, NamespaceRequest } from './config.js'

const DEFAULT: readonly NamespaceRequest[] = ['mnt', 'pid', 'ipc', 'uts', 'net']

/** The namespaces that a config asks for, in one shape. @throws {ConfigInvalid} for an unknown kind */
export function namespacesOf({ namespaces = DEFAULT, networks }: ContainerConfig): Namespace[] {
  if (!Array.isArray(namespaces)) throw new ConfigInvalid('namespaces', namespaces, 'must be a list')
  const list = namespaces.map((request: NamespaceRequest, i) => namespaceOf(request, `namespaces[${i}]`))
  const path = networks === undefined ? undefined : joinedNamespace({ networks })
  if (path === undefined) return list
  const other = list.find(each => each.kind === 'net' && each.path !== undefined && each.path !== path)
  if (other !== undefined)
    throw new ConfigInvalid('networks', networks, `name another network namespace than namespaces do: ${other.path}`)
  return [...list.filter(({ kind }) => kind !== 'net'), { kind: 'net', path }]
}

/** The user namespace that a config asks for; `undefined` for none, and for a list in which something is wrong, which is told of the list. */
export function userNamespaceOf(config: Pick<ContainerConfig, 'namespaces'>): Namespace | undefined {
  try {
    return namespacesOf(config as ContainerConfig).find(({ kind }) => kind === 'user')
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return undefined
  }
}

/** Whose network namespace a container has. */
export function networkNamespace(namespaces: readonly Namespace[]): NetworkNamespace {
  const net = namespaces.find(({ kind }) => kind === 'net')
  if (net === undefined) return 'shared'
  return net.path === undefined ? 'new' : 'joined'
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
