import { absentStep, applyToCgroups, Cgroup } from '@libcontainer/cgroups'
import { cleanPath } from '@libcontainer/mount'
import {
  ConfigInvalid,
  confirmPlainDirectoryStep,
  exists,
  ids,
  isErrno,
  kernelString,
  LibcontainerError,
  listDirectory,
  makeDirectory,
  makeDirectoryStep,
  removeTree,
  SyscallError,
  stat,
} from '@libcontainer/sys'
import { checkCgroup, findCgroup, recordedCgroup } from './cgroup.js'
import type { ContainerConfig } from './config.js'
import { Container } from './container.js'
import { ContainerError, systemError } from './errors.js'
import { checkId } from './id.js'
import { plainCopy } from './plain-copy.js'
import { resolveConfig } from './resolve.js'
import { loadState } from './state.js'
import { rootfsProblem, type validate, validateBesideRootfs } from './validate.js'

export interface FactoryOptions {
  /** Told of what is odd but works: a state root that others may write to. Default: nobody. */
  readonly warn?: ((message: string) => void) | undefined
  /** Finds what is wrong with a config, in place of {@link validate}. */
  readonly validator?: ((config: ContainerConfig) => Promise<ConfigInvalid[]>) | undefined
}

/** Makes containers below one state root, and finds them again. */
export class Factory {
  readonly root: string
  readonly #options: FactoryOptions

  private constructor(root: string, options: FactoryOptions) {
    this.root = root
    this.#options = options
  }

  /**
   * Opens a state root: a directory, made with mode 0700 where it is missing, that holds a directory for each container.
   *
   * @throws {ContainerError} `ConfigInvalid` for an empty or relative root or `/`, `SystemError` when it cannot be made
   */
  static async open(root: string, options: FactoryOptions = {}): Promise<Factory> {
    if (kernelString(root, 'root') === '')
      throw new ConfigInvalid('root', root, 'must be set: a directory for the state of containers')
    if (!root.startsWith('/') || cleanPath(root) === '/')
      throw new ConfigInvalid('root', root, 'must be an absolute path, and not / itself')
    const factory = new Factory(root.replace(/\/+$/, ''), options)
    try {
      await makeDirectory(factory.root, { mode: 0o700, parents: true })
      await factory.#checkRoot()
    } catch (error) {
      throw systemError(`cannot use the state root ${root}`, error)
    }
    return factory
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
    const copy = plainCopy(config)
    const { validator } = this.#options
    const [problem] = await (validator === undefined ? validateBesideRootfs(copy) : validator(copy))
    if (problem !== undefined) throw problem
    const resolved = resolveConfig(id, copy)
    const directory = this.#directory(id)
    const { path } = resolved.cgroups
    const made = new Map<string, number>()
    try {
      // As it mostly goes, in one call off the thread.
      await applyToCgroups(
        [
          ...(validator === undefined ? [confirmPlainDirectoryStep(cleanPath(copy.rootfs))] : []),
          { ...makeDirectoryStep(directory, { mode: 0o711 }), into: 'directory' },
          absentStep((await Cgroup.at(path)).places),
        ],
        { results: made },
      )
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      if (!made.has('directory')) {
        const problem = validator === undefined ? await rootfsProblem(copy) : undefined
        if (problem !== undefined) throw problem
        await makeStateDirectory(id, directory)
      }
      await this.#takeOver(id, directory, path)
    }
    return new Container({ id, directory, config: resolved })
  }

  /**
   * A container that was started, by this process or another.
   *
   * @throws {ContainerError} `InvalidIdFormat`, `ContainerNotExists`, `SystemError` for a broken state
   */
  async load(id: string): Promise<Container> {
    checkId(id)
    const directory = this.#directory(id)
    const state = await loadState(id, directory)
    return new Container({ id, directory, config: state.config, state })
  }

  /** The ids of all containers that were started, sorted; broken ones are told to `warn`. */
  async list(): Promise<string[]> {
    const names = (await listDirectory(this.root)).filter(({ type }) => type === 'directory').map(({ name }) => name)
    const found = await Promise.all(
      names.map(async name => {
        try {
          checkId(name)
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
   * Removes whatever is left of a container, in whatever state: its processes, cgroups and directory; also of one whose creator
   * was killed half-way, or whose state is broken. Absent is fine.
   */
  async remove(id: string): Promise<void> {
    checkId(id)
    const directory = this.#directory(id)
    if (!(await exists(directory))) return
    try {
      const container = await this.load(id)
      await container.destroy({ force: true })
    } catch (error) {
      if (!(error instanceof LibcontainerError)) throw error
      await removeLeftovers(id, directory)
    }
  }

  /** Its cgroup is there already: that may be, when nobody is in it. */
  async #takeOver(id: string, directory: string, path: string): Promise<void> {
    try {
      // Only now: the cgroup of an id that is in use is not empty either.
      await checkCgroup(path)
    } catch (error) {
      await removeTree(directory)
      throw systemError(`cannot make '${id}'`, error)
    }
  }

  #directory(id: string): string {
    return `${this.root}/${id}`
  }

  async #checkRoot(): Promise<void> {
    const { type, uid, mode } = await stat(this.root, { follow: false })
    if (type !== 'directory') throw new ConfigInvalid('root', this.root, `must be a directory, not a ${type}`)
    if (uid !== ids().euid || (mode & 0o022) !== 0) {
      const how = uid === ids().euid ? `has mode ${(mode & 0o7777).toString(8)}` : `belongs to uid ${uid}`
      this.#options.warn?.(
        `the state root ${this.root} ${how}: others could forge the state of containers; chmod 700, chown ${ids().euid}`,
      )
    }
  }
}

async function makeStateDirectory(id: string, directory: string): Promise<void> {
  try {
    await makeDirectory(directory, { mode: 0o711 })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new ContainerError('IdInUse', `id '${id}' is in use: ${directory} exists`)
    throw systemError(`cannot make the state directory of '${id}'`, error)
  }
}

/** The state is no help: a cgroup and the directory are all that an aborted start can have left. */
async function removeLeftovers(id: string, directory: string): Promise<void> {
  const cgroup = await findCgroup(await recordedCgroup(id, directory))
  if (cgroup !== undefined) {
    await cgroup.kill()
    await cgroup.destroy()
  }
  await removeTree(directory)
}
