/** A kind of namespace, by the name of its file under /proc/self/ns. */
export type NamespaceKind = 'user' | 'ipc' | 'uts' | 'net' | 'pid' | 'mnt' | 'cgroup' | 'time'

/** What is known by more than one name: the kernel's flag, the word of an OCI configuration, the key of libcontainer's. */
interface Names {
  readonly flag: number
  readonly oci: string
  readonly key: string
}

/* clone(2). The bit of NEWTIME lies in what clone(2) uses for its signal: clone3, unshare and setns take it. */
const names: Readonly<Record<NamespaceKind, Names>> = {
  user: { flag: 0x10000000, oci: 'user', key: 'NEWUSER' },
  ipc: { flag: 0x08000000, oci: 'ipc', key: 'NEWIPC' },
  uts: { flag: 0x04000000, oci: 'uts', key: 'NEWUTS' },
  net: { flag: 0x40000000, oci: 'network', key: 'NEWNET' },
  pid: { flag: 0x20000000, oci: 'pid', key: 'NEWPID' },
  mnt: { flag: 0x00020000, oci: 'mount', key: 'NEWNS' },
  cgroup: { flag: 0x02000000, oci: 'cgroup', key: 'NEWCGROUP' },
  time: { flag: 0x00000080, oci: 'time', key: 'NEWTIME' },
}

/** The eight kinds; `user` first, since a user namespace owns those made after it. */
export const namespaceKinds: readonly NamespaceKind[] = ['user', 'ipc', 'uts', 'net', 'pid', 'mnt', 'cgroup', 'time']

const byWord = new Map<string, NamespaceKind>()
for (const kind of namespaceKinds) {
  for (const word of [kind, names[kind].oci, names[kind].key, `CLONE_${names[kind].key}`]) byWord.set(word, kind)
}

/** The kind that a word means: the kernel's (`mnt`), OCI's (`mount`) or libcontainer's (`NEWNS`, `CLONE_NEWNS`); `undefined` for any other. */
export function namespaceKind(word: string): NamespaceKind | undefined {
  return byWord.get(word)
}

/** The `CLONE_NEW…` flag of a kind. */
export function cloneFlag(kind: NamespaceKind): number {
  return names[kind].flag
}

/** The word for a kind in an OCI configuration, such as `network` for `net`. */
export function ociName(kind: NamespaceKind): string {
  return names[kind].oci
}

/** The `CLONE_NEW…` flags of several kinds together. */
export function flagsOf(kinds: Iterable<NamespaceKind>): number {
  let flags = 0
  for (const kind of kinds) flags |= cloneFlag(kind)
  return flags
}

/** The kinds in a mask of flags, in the order of {@link namespaceKinds}; other bits are passed over. */
export function kindsOf(flags: number): NamespaceKind[] {
  return namespaceKinds.filter(kind => (flags & cloneFlag(kind)) !== 0)
}

/** A kind as libcontainer's lists of 2014 had it. */
export interface NamespaceEntry {
  /** `NEWNS`, `NEWUTS`, … */
  readonly key: string
  /** The `CLONE_` flag. */
  readonly value: number
  /** The file under /proc/self/ns. */
  readonly file: NamespaceKind
}

/** The kind with this key (`NEWNET`), or `undefined`. */
export function getNamespace(key: string): NamespaceEntry | undefined {
  const file = namespaceKinds.find(kind => names[kind].key === key)
  return file && { key, value: names[file].flag, file }
}

/** The flags of a map from key to wanted (`{ NEWNET: true, NEWPID: false }`); keys that are no kind are passed over. */
export function getNamespaceFlags(wanted: ReadonlyMap<string, boolean> | Readonly<Record<string, boolean>>): number {
  const entries = wanted instanceof Map ? wanted.entries() : Object.entries(wanted)
  let flags = 0
  for (const [key, on] of entries) if (on) flags |= getNamespace(key)?.value ?? 0
  return flags
}
