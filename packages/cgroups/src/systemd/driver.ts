import {
  ConfigInvalid,
  exists,
  isErrno,
  LibcontainerError,
  type Step,
  SyscallError,
  type Waiting,
} from '@libcontainer/sys'
import { Cgroup } from '../cgroup.js'
import { DBusError } from '../dbus/errors.js'
import { LimitUnsupported } from '../errors.js'
import { type CgroupHost, cgroupHost } from '../host/host.js'
import type { Limit } from '../limits/amount.js'
import type { Limits } from '../limits/limits.js'
import { applyToCgroups } from '../steps.js'
import { SystemdCgroup } from './cgroup.js'
import { isBusError, Systemd, type SystemdOptions, UNIT_EXISTS } from './manager.js'
import { Placeholder } from './placeholder.js'
import type { UnitProperty } from './property.js'
import { splitLimits } from './split-limits.js'
import { type CgroupUnit, unitOf, unitOfDirectory } from './unit.js'
import { unitProperties } from './unit-properties.js'

export interface SystemdDriverOptions extends SystemdOptions {
  /** The host to work on. Default: {@link cgroupHost} */
  readonly host?: CgroupHost | undefined
  /**
   * Further properties of each unit, behind all others. They can make systemd run programs and switch the machine off (`ExecStopPost`, `SuccessAction`):
   * never take them from who must not act on the host. Default: none
   */
  readonly properties?: readonly UnitProperty[] | undefined
}

export interface SystemdCreation extends Waiting {
  /** It may be there already. Default: false */
  readonly existing?: boolean | undefined
  /** Steps on files, before anything is made: when one fails, nothing is made and its error is thrown as it is. */
  readonly before?: readonly Step[] | undefined
  /** Where the results of those steps go, also when a later one fails. */
  readonly results?: Map<string, number> | undefined
  /** The processes that a new unit begins with. Default: one that does nothing, until `settled()` */
  readonly pids?: readonly number[] | undefined
}

/** Whether systemd is this host's service manager. */
export async function isSystemdRunning(): Promise<boolean> {
  return await exists('/run/systemd/system')
}

/**
 * Cgroups that are units of systemd: scopes and slices, made over D-Bus. For `cgroupDriver` of `@libcontainer/container`, and alone.
 *
 * A cgroup's path is `slice:prefix:name`: the unit `<prefix>-<name>.scope` in that slice, or the slice `name`.
 */
export class SystemdDriver {
  readonly systemd: Systemd
  readonly #host: CgroupHost | undefined
  readonly #properties: readonly UnitProperty[]
  /** By the names of their units. */
  readonly #placeholders = new Map<string, Placeholder>()

  constructor({ host, properties = [], ...options }: SystemdDriverOptions = {}) {
    this.systemd = new Systemd(options)
    this.#host = host
    this.#properties = properties
  }

  /**
   * The driver of this host.
   *
   * @throws {ConfigInvalid} where systemd does not run, and for an ordinary user on cgroup v1
   */
  static async open(options: SystemdDriverOptions = {}): Promise<SystemdDriver> {
    if (!(await isSystemdRunning())) {
      throw new ConfigInvalid('cgroupDriver', 'systemd', 'is not running: there is no directory /run/systemd/system', {
        hint: "say 'cgroupfs', which needs nobody; in lcrun leave --systemd-cgroup out",
      })
    }
    const driver = new SystemdDriver(options)
    if (driver.systemd.user) confirmUnified(await driver.#cgroups())
    return driver
  }

  /** The cgroup of a path or of saved `paths`, whether it is there or not. Of a path it asks the manager where its units are. */
  async at(where: string | Readonly<Record<string, string>>, waiting: Waiting = {}): Promise<SystemdCgroup | Cgroup> {
    const host = await this.#cgroups()
    if (typeof where !== 'string') return await this.#wrapSaved(await Cgroup.at(where, { host }))
    const unit = this.#unitOf(where)
    return await this.#cgroupOf(unit, await this.#pathOf(unit, waiting), host)
  }

  /** The same one, which must be there. @throws {SyscallError} `ENOENT` */
  async open(where: string | Readonly<Record<string, string>>, waiting: Waiting = {}): Promise<SystemdCgroup | Cgroup> {
    const host = await this.#cgroups()
    if (typeof where !== 'string') return await this.#wrapSaved(await Cgroup.open(where, { host }))
    const unit = this.#unitOf(where)
    const at = await this.#pathOf(unit, waiting)
    await Cgroup.open(unit.sub === undefined ? at : `${at}/${unit.sub}`, { host })
    return await this.#cgroupOf(unit, at, host)
  }

  /**
   * Makes the unit with its limits; when any of it fails, nothing is left.
   *
   * @throws {SyscallError} `EEXIST` when it is there already, unless `existing`
   * @throws {DBusError} what systemd refuses
   * @throws {LibcontainerError} `ETIMEDOUT` when systemd does not answer
   */
  async create(path: string, limits: Limits = {}, options: SystemdCreation = {}): Promise<SystemdCgroup> {
    const { before = [], results, existing = false, signal } = options
    const host = await this.#cgroups()
    const unit = this.#unitOf(path)
    const { properties, rounded } = await splitLimits(this.systemd, limits, { host, when: 'create', signal })
    const at = await this.#pathOf(unit, { signal })
    const group = await this.#cgroupOf(unit, at, host)
    await applyToCgroups(before, results === undefined ? {} : { results })
    const made = await this.#start(unit, properties, options)
    try {
      await Cgroup.create(at, this.#withRoom(rounded, unit.name), { existing: true, host })
      if (unit.sub !== undefined) await Cgroup.create(`${at}/${unit.sub}`, {}, { existing: true, host })
      if (!made && existing && properties.length > 0) await group.set(limits, { signal })
    } catch (error) {
      if (made) await group[Symbol.asyncDispose]()
      throw error
    }
    const { max } = rounded.pids ?? {}
    if (max !== undefined) this.#placeholders.get(unit.name)?.atEnd(() => setPids(at, max, host))
    return group
  }

  /** Ends the connection to systemd. */
  async close(): Promise<void> {
    await this.systemd.close()
  }

  #cgroups(): CgroupHost | Promise<CgroupHost> {
    return this.#host ?? cgroupHost()
  }

  #unitOf(path: string): CgroupUnit {
    return unitOf(path, this.systemd.user ? 'user.slice' : 'system.slice', 'cgroups.path')
  }

  async #pathOf({ path }: CgroupUnit, waiting: Waiting): Promise<string> {
    return `${await this.systemd.controlGroup(waiting)}${path}`
  }

  async #cgroupOf({ name, sub }: CgroupUnit, at: string, host: CgroupHost): Promise<SystemdCgroup> {
    const outer = await Cgroup.at(at, { host })
    return this.#wrap(name, outer, sub === undefined ? outer : await Cgroup.at(`${at}/${sub}`, { host }))
  }

  #wrap(name: string, outer: Cgroup, inner: Cgroup): SystemdCgroup {
    return new SystemdCgroup({ systemd: this.systemd, name, placeholders: this.#placeholders }, outer, inner)
  }

  /** By its directories. Another driver may have made it: then no unit is concerned. */
  async #wrapSaved(inner: Cgroup): Promise<SystemdCgroup | Cgroup> {
    const unit = unitOfDirectory(inner.places[0]?.directory ?? '')
    if (unit === undefined) return inner
    if (unit.sub === '') return this.#wrap(unit.name, inner, inner)
    const above = [...inner.paths].map(([key, path]) => [key, path.slice(0, path.lastIndexOf('/'))] as const)
    return this.#wrap(unit.name, await Cgroup.at(Object.fromEntries(above), { host: inner.host }), inner)
  }

  /** Whether it was made; false where it is there and may be. */
  async #start(unit: CgroupUnit, properties: readonly UnitProperty[], options: SystemdCreation): Promise<boolean> {
    const { signal, existing = false } = options
    const { name } = unit
    const context = {
      description: `libcontainer container ${name.replace(/\.(?:scope|slice)$/, '')}`,
      version: (await this.#cgroups()).mode === 'v2' ? 2 : 1,
      systemd: await this.systemd.version({ signal }),
    } as const
    const isScope = name.endsWith('.scope')
    const placeholder = isScope && options.pids === undefined ? await Placeholder.start() : undefined
    const pids = options.pids ?? (placeholder === undefined ? [] : [placeholder.pid])
    const all = [...unitProperties(unit, { ...context, pids }), ...properties, ...this.#properties]
    try {
      await startWithout(all, properties, list => this.systemd.start(name, list, { signal }))
    } catch (error) {
      await placeholder?.end().catch(() => {})
      if (!isBusError(error, UNIT_EXISTS)) {
        // Without a word of how it ended it may have come up after all.
        if (!isRefusal(error)) await this.systemd.stop(name, { timeoutMs: STOP_MS }).catch(() => {})
        throw error
      }
      if (existing) return false
      throw new SyscallError(17, 'StartTransientUnit', {
        path: name,
        cause: error,
        hint: `systemctl status ${name} tells what it is; systemctl stop ${name} ends it`,
      })
    }
    if (placeholder !== undefined) this.#placeholders.set(name, placeholder)
    return true
  }

  /** The placeholder is a process, too. */
  #withRoom(limits: Limits, name: string): Limits {
    const { max } = limits.pids ?? {}
    if (max === undefined || max === 'max' || !this.#placeholders.has(name)) return limits
    return { ...limits, pids: { ...limits.pids, max: BigInt(max) + 1n } }
  }
}

/** Nobody but the placeholder may have been in it. */
async function setPids(path: string, max: Limit, host: CgroupHost): Promise<void> {
  try {
    await (await Cgroup.open(path, { host })).set({ pids: { max } })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
  }
}

function confirmUnified({ mode }: CgroupHost): void {
  if (mode === 'v2') return
  throw new LimitUnsupported(
    'cgroupDriver',
    'systemd',
    "an ordinary user's systemd has cgroups to give on cgroup v2 alone",
    'boot with systemd.unified_cgroup_hierarchy=1',
  )
}

/** systemd says of a property that it does not know: so it does of one that is younger. */
const UNKNOWN_PROPERTY = 'org.freedesktop.DBus.Error.PropertyReadOnly'

/** For a word to systemd that has not answered before. */
const STOP_MS = 2000

/** Whether systemd has answered with a no, or was never asked: nothing was made. */
const isRefusal = (error: unknown): boolean =>
  error instanceof DBusError ||
  (error instanceof LibcontainerError && (error.code === 'UnitFailed' || error.code === 'NotFound'))

/** Starts a unit; without those of its limits that this systemd does not know, which the cgroup's own files hold all the same. */
async function startWithout(
  all: readonly UnitProperty[],
  limits: readonly UnitProperty[],
  start: (properties: readonly UnitProperty[]) => Promise<void>,
): Promise<void> {
  for (let left = all; ; ) {
    try {
      return await start(left)
    } catch (error) {
      const unknown = isBusError(error, UNKNOWN_PROPERTY) ? / property (\w+)/.exec(error.message)?.[1] : undefined
      if (unknown === undefined || !limits.some(({ name }) => name === unknown)) throw error
      const fewer = left.filter(({ name }) => name !== unknown)
      if (fewer.length === left.length) throw error
      left = fewer
    }
  }
}
