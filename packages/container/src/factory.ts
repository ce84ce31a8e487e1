import { absentStep, applyToCgroups } from '@libcontainer/cgroups'
import type { UnitProperty } from '@libcontainer/cgroups/systemd'
import { type InitProgram, overlayInit } from '@libcontainer/init'
import type { ResctrlOptions } from '@libcontainer/intelrdt'
import { hasKeys } from '@libcontainer/keys'
import { cleanPath } from '@libcontainer/mount'
import {
  ConfigInvalid,
  confirmPlainDirectoryStep,
  exists,
  isErrno,
  kernelString,
  LibcontainerError,
  listDirectory,
  makeDirectory,
  makeDirectoryStep,
  remembered,
  removeTree,
  SyscallError,
  sleep,
  type Waiting,
} from '@libcontainer/sys'
import { checkCgroup, confirmGivable } from './cgroups/cgroup.js'
import type { CgroupDriver, Drivers } from './cgroups/drivers.js'
import { type CgroupOption, cgroupDriver } from './cgroups/option.js'
import { DELEGATION_HINT } from './cgroups/rootless.js'
import type { ContainerConfig } from './config/config.js'
import type { Executor } from './config/executor.js'
import { checkId } from './config/id.js'
import { type InitOption, loadInit } from './config/init-option.js'
import { configCopy } from './config/plain-copy.js'
import { type ResolvedConfig, resolveConfig } from './config/resolve.js'
import { withRootlessDefaults } from './config/rootless.js'
import { Container } from './container.js'
import { ContainerError, systemError } from './errors.js'
import type { HandleOptions } from './handle.js'
import { confirmClass } from './intelrdt/class.js'
import { confirmNetworking, type Networking } from './network/network.js'
import type { MonitorOptions, StatusChange } from './running/monitor.js'
import { checkRootPath, openStateRoot } from './state/root.js'
import { type ContainerState, loadState, loadWithText } from './state/state.js'
import { confirmOwnDirectory, confirmOwned, confirmOwnProcesses } from './state/trust.js'
import { endCreator, removeWithoutState } from './state/without-state.js'
import { checkBoolean } from './validate/shape.js'
import { rootfsProblem, type validate, validateBesideRootfs } from './validate/validate.js'
import { configWarnings } from './validate/warnings.js'

export interface FactoryOptions {
  /** Told of what is odd but works: a state root that others may write to, a path in a config that is not as it should be. Default: nobody. */
  readonly warn?: ((message: string) => void) | undefined
  /** Told what is done inside of a container until its program runs, for processes that say so by `logLevel`. Default: nobody. */
  readonly log?: ((level: number, message: string) => void) | undefined
  /** Finds what is wrong with a config, in place of {@link validate}. */
  readonly validator?: ((config: ContainerConfig) => Promise<ConfigInvalid[]>) | undefined
  /** Who makes the cgroups. Default: `cgroupfs`. */
  readonly cgroupDriver?: CgroupOption | undefined
  /**
   * Further properties of the unit of each container that this factory makes, where systemd makes them. They can make systemd run programs and stop
   * the machine: never take them from who must not. Default: none.
   */
  readonly unitProperties?: readonly UnitProperty[] | undefined
  /**
   * Makes cgroups as for an ordinary user: in what was delegated to this process, or where that is nothing, none for a container that asks for no limits.
   * `false`: in the host's own hierarchies, and what is refused there is an error. Default: `true` for an ordinary user and in a user namespace.
   */
  readonly rootless?: boolean | undefined
  /** Where resctrl is mounted, for the containers that have `intelRdt`. Default: where it is found. */
  readonly resctrl?: ResctrlOptions | undefined
  /** Prepares containers from inside, in place of the program of `@libcontainer/init`. Read once, when the factory is opened. */
  readonly init?: InitOption | undefined
  /**
   * How that program is kept from containers, which could else write to it through /proc/self/exe. `copy`: in memory of its own, sealed. `overlay`: the
   * file itself, read-only; it takes no memory for each container and needs CAP_SYS_ADMIN, and a kernel whose page cache can be written to
   * (CVE-2022-0847) would let the file be changed. Default: `copy`.
   */
  readonly selfProtection?: 'copy' | 'overlay' | undefined
  /** Chooses what is executed for a process, in place of its program. Default: nothing else. */
  readonly executor?: Executor | undefined
  /** Mounts a tmpfs on the state root, unless something is mounted there already. Default: false. */
  readonly tmpfsRoot?: boolean | undefined
  /** Refuses a container that could not be killed reliably: one without a cgroup that shares its pid namespace. Default: false, and it is told to `warn`. */
  readonly strict?: boolean | undefined
  /** The program for checkpoints: an absolute path; a name alone is looked up where distributions install it, never in `PATH`. Default: `criu`. */
  readonly criuPath?: string | undefined
}

/** Makes containers below one state root, and finds them again. */
export class Factory {
  readonly root: string
  /** The program for checkpoints. */
  readonly criuPath: string
  readonly #options: FactoryOptions
  readonly #drivers: Drivers
  /** For containers that systemd made the cgroups of, where this factory makes others without it: one connection for all of them. */
  readonly #systemd: () => Promise<CgroupDriver>

  private constructor(root: string, options: FactoryOptions, drivers: Drivers) {
    this.root = root
    this.criuPath = options.criuPath ?? 'criu'
    this.#options = options
    this.#drivers = drivers
    this.#systemd = remembered(() => cgroupDriver('systemd', { rootless: options.rootless }))
  }

  /**
   * Opens a state root: a directory, made with mode 0700 where it is missing, that holds a directory for each container.
   *
   * @throws {ConfigInvalid} for an empty or relative root, for `/` and for a link, and for options that cannot be had
   * @throws {ContainerError} `SystemError` when it cannot be made
   */
  static async open(root: string, options: FactoryOptions = {}): Promise<Factory> {
    const path = checkRootPath(root)
    checkOptions(options)
    const drivers: Drivers = {
      cgroups: await cgroupDriver(options.cgroupDriver, options),
      init: await initOf(options),
      executor: options.executor,
      resctrl: options.resctrl,
      criu: options.criuPath,
      log: options.log,
    }
    try {
      await openStateRoot(path, options)
    } catch (error) {
      throw systemError(`cannot use the state root ${root}`, error)
    }
    return new Factory(path, options, drivers)
  }

  /** `libcontainer`, as ever. */
  type(): string {
    return 'libcontainer'
  }

  /**
   * Makes a container of this config under this id. Nothing runs yet.
   *
   * @throws {LibcontainerError} `InvalidIdFormat`, `ConfigInvalid` (the first problem found), `IdInUse`, `SystemError`
   */
  async create(id: string, config: ContainerConfig): Promise<Container> {
    checkId(id)
    const copy = await withRootlessDefaults(configCopy(config))
    const { validator } = this.#options
    const [problem] = await (validator === undefined ? validateBesideRootfs(copy) : validator(copy))
    if (problem !== undefined) throw problem
    const { warn } = this.#options
    if (warn !== undefined) for (const warning of configWarnings(copy)) warn(warning)
    const resolved = resolveConfig(id, copy)
    await confirmClass(id, resolved, this.#options.resctrl)
    if (warn !== undefined && resolved.sessionKeyring !== undefined && !hasKeys())
      warn('sessionKeyring: the kernel has no keyrings, and so none to share: the container goes on without')
    const directory = this.#directory(id)
    const { path, owner } = resolved.cgroups
    const cgroup = await this.#drivers.cgroups.at(path)
    confirmGivable(cgroup, owner)
    const { places } = cgroup
    if (places.length === 0) this.#confirmKillable(resolved)
    const made = new Map<string, number>()
    let confirming: Promise<Networking | undefined> | undefined
    let networking: Networking | undefined
    try {
      // As it mostly goes, in one call off the thread.
      const making = applyToCgroups(
        [
          ...(validator === undefined ? [confirmPlainDirectoryStep(cleanPath(copy.rootfs))] : []),
          { ...makeDirectoryStep(directory, { mode: 0o711 }), into: 'directory' },
          absentStep(places),
        ],
        { results: made },
      )
      // Meanwhile; the directory goes again where it is refused.
      confirming = confirmNetworking({ directory, config: resolved, warn })
      confirming.catch(() => {})
      await making
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      if (!made.has('directory')) {
        await confirming
        const problem = validator === undefined ? await rootfsProblem(copy) : undefined
        if (problem !== undefined) throw problem
        await makeStateDirectory(id, directory)
      }
      await this.#takeOver(id, directory, path)
    }
    try {
      networking = await confirming
    } catch (error) {
      await removeTree(directory)
      throw error
    }
    return this.#container({ id, config: resolved, networking })
  }

  /**
   * A container that was started, by this process or another.
   *
   * @throws {ContainerError} `InvalidIdFormat`, `ContainerNotExists`, `SystemError` for a state that is broken, or not this container's own
   */
  async load(id: string): Promise<Container> {
    checkId(id)
    const directory = this.#directory(id)
    await confirmOwned(id, directory)
    const { state, text } = await loadWithText(id, directory)
    const drivers = await this.#driversOf(state)
    await confirmOwnProcesses(drivers.cgroups, directory, state)
    return this.#container({ id, config: state.config, state, text, drivers })
  }

  /** Whoever has made a cgroup has to hear of what becomes of it, whatever this factory makes others with. */
  async #driversOf({ cgroup_driver }: ContainerState): Promise<Drivers> {
    const { cgroupDriver: own } = this.#options
    if (cgroup_driver !== 'systemd' || (own !== undefined && own !== 'cgroupfs')) return this.#drivers
    return { ...this.#drivers, cgroups: await this.#systemd() }
  }

  /** The ids of all containers that were started, sorted; broken ones are told to `warn`. */
  async list(): Promise<string[]> {
    const names = (await listDirectory(this.root)).filter(({ type }) => type === 'directory').map(({ name }) => name)
    const found = await Promise.all(
      names.map(async name => {
        try {
          checkId(name)
          await confirmOwned(name, this.#directory(name))
          await loadState(name, this.#directory(name))
          return name
        } catch (error) {
          if (error instanceof ContainerError && error.code !== 'ContainerNotExists')
            this.#options.warn?.(error.message)
          else if (!(error instanceof LibcontainerError)) throw error
          return undefined
        }
      }),
    )
    return found.filter(name => name !== undefined).sort()
  }

  /**
   * What the containers below this state root do, whichever process sees to it, until `signal`: created, running, paused, stopped, removed. Listens from when
   * the promise resolves. What is over before one can look is not told.
   *
   * While somebody listens, the program does not end by itself.
   */
  async monitor(options: MonitorOptions = {}): Promise<AsyncIterableIterator<StatusChange>> {
    const { monitor } = await import('./running/monitor.js')
    return await monitor(this, options, this.#options.warn)
  }

  /**
   * Waits until a container is in a state, or in one of several, whichever process sees to it; at once when it is. One that is not there yet is waited for, and is
   * `removed`.
   *
   * @throws {ConfigInvalid} for a state that there is not
   */
  async waitFor(
    id: string,
    status: StatusChange['status'] | readonly StatusChange['status'][],
    waiting: Waiting = {},
  ): Promise<StatusChange> {
    const { waitFor } = await import('./running/monitor.js')
    return await waitFor(this, id, status, waiting, this.#options.warn)
  }

  /**
   * Removes whatever is left of a container, in whatever state: its processes, cgroups and directory; also of one whose creator
   * was killed half-way, or whose state is broken. One that is being created is killed: its creator then fails. Absent is fine.
   *
   * @throws {ContainerError} `SystemError` when something of it cannot be ended; what tells of it stays
   */
  async remove(id: string): Promise<void> {
    checkId(id)
    const directory = this.#directory(id)
    if (!(await exists(directory))) return
    await confirmOwnDirectory(id, directory)
    let container: Container
    try {
      container = await this.load(id)
    } catch (error) {
      if (!(error instanceof LibcontainerError)) throw error
      const drivers = this.#drivers
      const end = (): Promise<void> => endCreator(drivers.cgroups, id, directory)
      // Created meanwhile.
      if (!(await removeWithoutState(drivers, { id, directory, error, warn: this.#options.warn }, end)))
        await this.remove(id)
      return
    }
    await container.destroy({ force: true })
  }

  /**
   * Removes what a creator has left that was killed before there was a state: nothing of a container that is there, or is being created.
   *
   * @throws {ContainerError} `ContainerNotStopped`
   */
  async removeAborted(id: string): Promise<void> {
    checkId(id)
    const directory = this.#directory(id)
    if (!(await exists(directory))) return
    await confirmOwnDirectory(id, directory)
    // Whoever has just made the directory is about to take its lock.
    await sleep(MOMENT)
    const error = new ContainerError('ContainerNotExists', `there is no container '${id}'`)
    const refuse = (): never => {
      throw new ContainerError('ContainerNotStopped', `container '${id}' is being created`, {
        hint: 'wait for its creator, or use force',
      })
    }
    if (
      !(await removeWithoutState(this.#drivers, { id, directory, error, warn: this.#options.warn }, async () =>
        refuse(),
      ))
    )
      refuse()
  }

  /** Its cgroup is there already: that may be, when nobody is in it. */
  async #takeOver(id: string, directory: string, path: string): Promise<void> {
    try {
      // Only now: the cgroup of an id that is in use is not empty either.
      await checkCgroup(this.#drivers.cgroups, path)
    } catch (error) {
      await removeTree(directory)
      throw systemError(`cannot make '${id}'`, error)
    }
  }

  /** It has no cgroup: only the end of its own pid namespace ends all its processes. */
  #confirmKillable({ namespaces }: ResolvedConfig): void {
    if (namespaces.some(({ kind, path }) => kind === 'pid' && path === undefined)) return
    const problem =
      "cannot be killed reliably without 'pid' and without a cgroup: its processes would outlive the first"
    if (this.#options.strict) throw new ConfigInvalid('namespaces', namespaces, problem, { hint: DELEGATION_HINT })
    this.#options.warn?.(`namespaces: ${problem}`)
  }

  #directory(id: string): string {
    return `${this.root}/${id}`
  }

  #container(
    options: Pick<HandleOptions, 'id' | 'config' | 'state' | 'text' | 'networking'> &
      Partial<Pick<HandleOptions, 'drivers'>>,
  ): Container {
    const { id } = options
    return new Container({
      drivers: this.#drivers,
      ...options,
      directory: this.#directory(id),
      warn: this.#options.warn,
    })
  }
}

/** In milliseconds. */
const MOMENT = 250

const OPTIONS: Readonly<Record<keyof FactoryOptions, true>> = {
  warn: true,
  log: true,
  validator: true,
  cgroupDriver: true,
  unitProperties: true,
  rootless: true,
  resctrl: true,
  init: true,
  selfProtection: true,
  executor: true,
  tmpfsRoot: true,
  criuPath: true,
  strict: true,
}

function checkOptions(options: FactoryOptions): void {
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, key))
      throw new ConfigInvalid(key, value, `is no option of a factory; there are ${Object.keys(OPTIONS).join(', ')}`)
  }
  const { selfProtection, init } = options
  if (selfProtection !== undefined && selfProtection !== 'copy' && selfProtection !== 'overlay')
    throw new ConfigInvalid('selfProtection', selfProtection, 'must be copy or overlay')
  if (selfProtection === 'overlay' && init !== undefined)
    throw new ConfigInvalid(
      'selfProtection',
      selfProtection,
      'is of the init of @libcontainer/init alone: leave it or init out',
    )
  const { warn, validator, executor, log, tmpfsRoot, strict, criuPath } = options
  for (const [field, value] of Object.entries({ warn, validator, executor, log })) {
    if (value !== undefined && typeof value !== 'function') throw new ConfigInvalid(field, value, 'must be a function')
  }
  checkBoolean('rootless', options.rootless)
  checkBoolean('tmpfsRoot', tmpfsRoot)
  checkBoolean('strict', strict)
  if (criuPath !== undefined && kernelString(criuPath, 'criuPath') === '')
    throw new ConfigInvalid('criuPath', criuPath, 'must name a program')
}

async function initOf({ init, selfProtection }: FactoryOptions): Promise<InitProgram | undefined> {
  if (selfProtection === 'overlay') return overlayInit()
  return init === undefined ? undefined : await loadInit(init)
}

async function makeStateDirectory(id: string, directory: string): Promise<void> {
  try {
    await makeDirectory(directory, { mode: 0o711 })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new ContainerError('IdInUse', `id '${id}' is in use: ${directory} exists`)
    throw systemError(`cannot make the state directory of '${id}'`, error)
  }
}
