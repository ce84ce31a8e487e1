import type { CapabilitySets } from '@libcontainer/capabilities'
import type { IoPriority, MemoryPolicy, Personality, Scheduler } from '@libcontainer/init'
import type { OwnedFd, StdioRequest } from '@libcontainer/sys'
import type { ResourceLimit } from './config.js'

/** Who a process runs as: numbers as they are, or `user[:group]` looked up in the container's own files. */
export type UserRequest = string | { readonly uid: number; readonly gid?: number | undefined }

export type { Stdio } from '@libcontainer/sys'

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** A pty of the host, such as `newConsole` of `@libcontainer/console` makes: its slave becomes the terminal of the process. */
export interface HostTerminal {
  readonly slave: OwnedFd
}

/** Which processors a process runs on, as lists: `0-3,7`. */
export interface CpuAffinity {
  /** While it is being set up. Default: as this process. */
  readonly initial?: string | undefined
  /** From when it is in its cgroup. Default: all that the cpuset allows. */
  readonly final?: string | undefined
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
  /**
   * A terminal for all three streams: of the container's own, whose master is `process.terminal`, or one of the host, whose master
   * stays with who made it. Default: false.
   */
  readonly terminal?: boolean | TerminalSize | HostTerminal | undefined
  /** On a terminal of the container's own: a newline that the program writes stays one byte, for whoever relays it. Default: false. */
  readonly plainNewlines?: boolean | undefined
  /** The path of a UNIX socket that the master is sent over, in place of `process.terminal`, with the name of its slave. */
  readonly consoleSocket?: string | undefined
  /** The path of a UNIX socket that a pidfd of the process is sent over before its program runs: with `standard` for a first process, else `setns`. */
  readonly pidfdSocket?: string | undefined
  /** For a further process: cgroups below the container's that it lives in, by controller, `''` for the unified hierarchy. They must be there. */
  readonly subCgroupPaths?: Readonly<Record<string, string>> | undefined
  /** One for all, or stdin, stdout and stderr. Default: `null`. */
  readonly stdio?: StdioRequest | undefined
  /** Descriptors that become 3, 4, …; they stay the caller's. */
  readonly extraFds?: readonly (number | OwnedFd)[] | undefined
  readonly capabilities?: CapabilitySets | readonly string[] | null | undefined
  readonly secureBits?: readonly string[] | undefined
  readonly rlimits?: readonly ResourceLimit[] | undefined
  readonly noNewPrivileges?: boolean | undefined
  readonly apparmorProfile?: string | undefined
  readonly selinuxLabel?: string | undefined
  readonly umask?: number | undefined
  readonly oomScoreAdj?: number | undefined
  readonly scheduler?: Scheduler | undefined
  readonly ioPriority?: IoPriority | undefined
  readonly cpuAffinity?: CpuAffinity | undefined
  readonly personality?: Personality | undefined
  readonly memoryPolicy?: MemoryPolicy | undefined
  /** For a further process: starts it in a paused container, too, where it stands still with the others until that is resumed. Default: false. */
  readonly ignorePaused?: boolean | undefined
  /** Ends the start; once the program runs, kills it. */
  readonly signal?: AbortSignal | undefined
  /** Records how long each step of the set-up took: `process.timings`. Default: false. */
  readonly timed?: boolean | undefined
  /** How much is told of the set-up to the factory's `log`: from 5 on (debug, of 0 to 6) every step and what it took, when its program runs. Default: 4. */
  readonly logLevel?: number | undefined
  /** Makes a step of the set-up fail, by its number from 0: for tests of what is left behind. */
  readonly failAt?: number | undefined
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
