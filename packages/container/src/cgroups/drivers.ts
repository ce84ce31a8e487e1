import type { Cgroup, Limits } from '@libcontainer/cgroups'
import type { InitProgram } from '@libcontainer/init'
import type { ResctrlOptions } from '@libcontainer/intelrdt'
import type { Step } from '@libcontainer/sys'
import type { Executor } from '../config/executor.js'

/** A cgroup as a container uses it: what {@link Cgroup} of `@libcontainer/cgroups` is, and what a driver of one's own answers with. */
export type ContainerCgroup = Pick<
  Cgroup,
  | 'host'
  | 'places'
  | 'paths'
  | 'set'
  | 'joinSelfSteps'
  | 'openUnified'
  | 'processes'
  | 'stats'
  | 'oomKillCount'
  | 'oomEvents'
  | 'memoryPressure'
  | 'below'
  | 'freeze'
  | 'thaw'
  | 'freezerState'
  | 'signal'
  | 'kill'
  | 'destroy'
> & {
  /** The unit of systemd that it is. */
  readonly unit?: string | undefined
  /** Gives it to a user: for `cgroups.owner`. */
  delegate?(uid: number): Promise<void>
  /** Called when its first process lives in it. */
  settled?(): Promise<void>
}

/**
 * Who makes the cgroups of containers, and finds them again. The class {@link Cgroup} is one: the cgroup file systems themselves.
 *
 * One's own mostly does something around it, such as asking a service of the host for the directory, and answers with a `Cgroup`.
 */
export interface CgroupDriver {
  /** The cgroup of a path or of the `paths` that were saved, whether it is there or not; touches nothing. */
  at(where: string | Readonly<Record<string, string>>): Promise<ContainerCgroup>
  /** The same one, which must be there. @throws {SyscallError} `ENOENT` */
  open(where: string | Readonly<Record<string, string>>): Promise<ContainerCgroup>
  /**
   * Makes it, with its limits; when any of it fails, nothing is left.
   *
   * @throws {SyscallError} `EEXIST` when it is there already, unless `existing`
   */
  create(path: string, limits: Limits, options: CgroupCreation): Promise<ContainerCgroup>
}

export interface CgroupCreation {
  /** It may be there already. Default: false. */
  readonly existing?: boolean | undefined
  /** Steps on files, by `applyToCgroups`, before anything is made: when one fails, nothing is made and its error is thrown as it is. */
  readonly before?: readonly Step[] | undefined
  /** Where the results of those steps go, also when a later one fails. */
  readonly results?: Map<string, number> | undefined
}

/** What a factory gives its containers to work with. */
export interface Drivers {
  readonly cgroups: CgroupDriver
  /** The program that prepares them from inside, where it is not the one of `@libcontainer/init`. */
  readonly init: InitProgram | undefined
  readonly executor?: Executor | undefined
  /** Where resctrl is. */
  readonly resctrl?: ResctrlOptions | undefined
  /** The path of the program for checkpoints. Default: where distributions install it. */
  readonly criu?: string | undefined
  /** Told of steps, at a level: see `logLevel` of a process. */
  readonly log?: ((level: number, message: string) => void) | undefined
}
