import type { ContainerConfig, ProcessSpec } from '@libcontainer/container'

/** What `config.json` does not say, and its meaning depends on. */
export interface ConversionOptions {
  /** The container's id: its cgroup where the config names none. */
  readonly id: string
  /** The directory that `config.json` lies in, absolute: relative paths of the root filesystem and of binds start there. */
  readonly bundle: string
  /** Who makes cgroups: this decides how `linux.cgroupsPath` is read. Default: `cgroupfs`. */
  readonly cgroupDriver?: 'cgroupfs' | 'systemd' | undefined
  /** Whether its processes get a session keyring of their own. Default: true. */
  readonly newKeyring?: boolean | undefined
}

/** A `config.json` in the words of `@libcontainer/container`. */
export interface Conversion {
  /** With the hooks, and with the annotations and `bundle=` as labels, which the state document is made of. */
  readonly config: ContainerConfig
  /** Absent where `config.json` has no process, which `create` allows and `start` does not. */
  readonly process: ProcessSpec | undefined
  /** Who should own the container's cgroup on cgroup v2, by the host's ids: it is mounted writable in a cgroup namespace of its own. */
  readonly cgroupOwner: number | undefined
  /** What was said and changes nothing, one sentence each, beginning with the field. */
  readonly warnings: readonly string[]
}

/** A `process` in the words of `@libcontainer/container`. */
export interface ProcessConversion {
  readonly process: ProcessSpec
  readonly warnings: readonly string[]
}
