import type { CapabilitySets } from '@libcontainer/capabilities'
import type { OwnedFd } from '@libcontainer/sys'
import type { ResourceLimit } from './config.js'

/** Who a process runs as: numbers as they are, or `user[:group]` looked up in the container's own files. */
export type UserRequest = string | { readonly uid: number; readonly gid?: number | undefined }

/** A standard stream: a pipe to this process, this process's own, the null device, or any descriptor. */
export type Stdio = 'pipe' | 'inherit' | 'null' | number | OwnedFd

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** A program to run in a container, and what it runs with. What is absent comes from the container's config. */
export interface ProcessSpec {
  /** argv; the first is looked up in PATH of `env`, inside the container. */
  readonly args: readonly string[]
  /** `KEY=value` strings, or an object of them. HOME is filled in. Default: PATH alone. */
  readonly env?: readonly string[] | Readonly<Record<string, string>> | undefined
  /** Absolute, made if it is missing. Default: `/`. */
  readonly cwd?: string | undefined
  /** Default: uid 0, gid 0. */
  readonly user?: UserRequest | undefined
  /** Supplementary groups besides the user's own: ids, or names of the container's /etc/group. */
  readonly additionalGroups?: readonly (string | number)[] | undefined
  /** A terminal of the container's own for all three streams; its master is `process.terminal`. Default: false. */
  readonly terminal?: boolean | TerminalSize | undefined
  /** One for all, or stdin, stdout and stderr. Default: `null`. */
  readonly stdio?: Stdio | readonly [Stdio, Stdio, Stdio] | undefined
  /** Descriptors that become 3, 4, …; they stay the caller's. */
  readonly extraFds?: readonly (number | OwnedFd)[] | undefined
  readonly capabilities?: CapabilitySets | readonly string[] | null | undefined
  readonly rlimits?: readonly ResourceLimit[] | undefined
  readonly noNewPrivileges?: boolean | undefined
  readonly umask?: number | undefined
  readonly oomScoreAdj?: number | undefined
  /** Ends the start; once the program runs, kills it. */
  readonly signal?: AbortSignal | undefined
  /** Records how long each step of the set-up took: `process.timings`. Default: false. */
  readonly timed?: boolean | undefined
  /** Makes a step of the set-up fail, by its number from 0: for tests of what is left behind. */
  readonly failAt?: number | undefined
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
