import { type ContainerFile, checkFile, checkMount, cleanPath, type Mount } from '@libcontainer/mount'
import { type NamespaceKind, namespaceKinds } from '@libcontainer/namespaces'
import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import type { ContainerCgroups, ContainerConfig } from '../config/config.js'

/** A file or directory of the host: seen at its own path, or at another. */
export type SandboxBind = string | { readonly source: string; readonly destination: string }

/** What a program in a sandbox has. All that is not said is not there. */
export interface SandboxOptions {
  /** Of the host, to be read alone, with what is mounted below. Links of the host's top that lead into them, as `/bin` does into `/usr`, come along. */
  readonly ro?: readonly SandboxBind[] | undefined
  /** Of the host, to be written to as well. */
  readonly rw?: readonly SandboxBind[] | undefined
  /** Empty directories in memory, which everybody in the sandbox may write to, and which end with it. */
  readonly tmpfs?: readonly string[] | undefined
  /** Files, links and directories of its own: those above where something is bound are made anyway. */
  readonly files?: readonly ContainerFile[] | undefined
  /** Further mounts. Whatever the order, those above another are made first. */
  readonly mounts?: readonly Mount[] | undefined
  /** Namespaces of its own; `mnt` always is. Default: `all`, which is all but time. */
  readonly unshare?: 'all' | readonly NamespaceKind[] | undefined
  /** What it has in common with the host all the same: with `net` it has the host's network and how to look names up. Default: none. */
  readonly share?: readonly NamespaceKind[] | undefined
  /** Default: `sandbox`. */
  readonly hostname?: string | undefined
  /** What it may use: `{ memory: { max: 64 << 20 }, pids: { max: 32 } }`. Refused by name where this user can have none. Default: no limits. */
  readonly limits?: ContainerCgroups | undefined
  /** Variables of its programs. Nothing of this process's environment comes along. Default: a PATH. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The working directory, absolute. Default: `/`. */
  readonly cwd?: string | undefined
  /** All else that a container can have, in place of what the sandbox says of it. */
  readonly config?: Partial<ContainerConfig> | undefined
  /** A directory for what is known of sandboxes while they live: absolute. Default: one of this user's own. */
  readonly stateRoot?: string | undefined
}

const FIELDS: Readonly<Record<keyof SandboxOptions, true>> = {
  ro: true,
  rw: true,
  tmpfs: true,
  files: true,
  mounts: true,
  unshare: true,
  share: true,
  hostname: true,
  limits: true,
  env: true,
  cwd: true,
  config: true,
  stateRoot: true,
}

/** @throws {ConfigInvalid} for what is no option of a sandbox; what it becomes of a config is looked at there */
export function checkSandbox(options: SandboxOptions): void {
  if (typeof options !== 'object' || options === null) throw new ConfigInvalid('sandbox', options, 'must be an object')
  for (const [name, value] of Object.entries(options))
    if (!Object.hasOwn(FIELDS, name))
      throw new ConfigInvalid(name, value, `is no option of a sandbox; there are ${Object.keys(FIELDS).join(', ')}`)
  for (const field of ['ro', 'rw', 'tmpfs', 'files', 'mounts', 'share'] as const)
    if (options[field] !== undefined && !Array.isArray(options[field]))
      throw new ConfigInvalid(field, options[field], 'must be a list')
  for (const [i, file] of (options.files ?? []).entries()) checkFile(file, `files[${i}]`)
  for (const [i, mount] of (options.mounts ?? []).entries()) checkMount(mount, `mounts[${i}]`)
  const taken = new Map<string, string>()
  for (const [field, path] of places(options)) {
    const other = taken.get(path)
    if (other !== undefined) throw new ConfigInvalid(field, path, `is the place of ${other} already`)
    taken.set(path, field)
  }
  kindsOf(options)
}

/** Where everything goes, by its field. */
function places({ ro = [], rw = [], tmpfs = [] }: SandboxOptions): [field: string, path: string][] {
  const binds = (name: string, list: readonly SandboxBind[]): [string, string][] =>
    list.map((bind, i) => [`${name}[${i}]`, bindOf(bind, `${name}[${i}]`).destination])
  return [
    ...binds('ro', ro),
    ...binds('rw', rw),
    ...tmpfs.map((path, i): [string, string] => [`tmpfs[${i}]`, place(path, `tmpfs[${i}]`)]),
  ]
}

/** A bind by its two paths, cleaned. @throws {ConfigInvalid} */
export function bindOf(bind: SandboxBind, field: string): { readonly source: string; readonly destination: string } {
  if (typeof bind === 'string') return { source: place(bind, field), destination: cleanPath(bind) }
  if (typeof bind !== 'object' || bind === null)
    throw new ConfigInvalid(field, bind, 'must be a path, or { source, destination }')
  return { source: place(bind.source, `${field}.source`), destination: place(bind.destination, `${field}.destination`) }
}

function place(path: string, field: string): string {
  if (!kernelString(path, field).startsWith('/')) throw new ConfigInvalid(field, path, 'must be absolute')
  const clean = cleanPath(path)
  if (clean === '/') throw new ConfigInvalid(field, path, 'must not be the root itself: name what is wanted of it')
  return clean
}

/** The kinds of namespace that are its own. @throws {ConfigInvalid} */
export function kindsOf({ unshare = 'all', share = [] }: SandboxOptions): readonly NamespaceKind[] {
  if (unshare !== 'all' && !Array.isArray(unshare))
    throw new ConfigInvalid('unshare', unshare, `must be all, or a list of ${namespaceKinds.join(', ')}`)
  const asked: readonly NamespaceKind[] = unshare === 'all' ? namespaceKinds.filter(kind => kind !== 'time') : unshare
  for (const [field, kinds] of Object.entries({ unshare: asked, share }))
    for (const [i, kind] of kinds.entries())
      if (!namespaceKinds.includes(kind))
        throw new ConfigInvalid(`${field}[${i}]`, kind, `must be one of ${namespaceKinds.join(', ')}`)
  if (share.includes('mnt'))
    throw new ConfigInvalid('share', share, 'must not have mnt: a sandbox is made of mounts of its own')
  return namespaceKinds.filter(kind => kind === 'mnt' || (asked.includes(kind) && !share.includes(kind)))
}
