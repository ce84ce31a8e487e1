import type { Step, Waiting } from '@libcontainer/sys'
import type { Cgroup, WaitOptions } from '../cgroup.js'
import { DevicePolicy } from '../devices/policy.js'
import type { EventsOptions } from '../events/cgroup-events.js'
import type { SetOptions } from '../limits/change.js'
import type { Limits } from '../limits/limits.js'
import type { Systemd } from './manager.js'
import type { Placeholder } from './placeholder.js'
import { splitLimits } from './split-limits.js'

/** Who keeps scopes from ending before their first process is there: by the name of the unit. */
export type Placeholders = Map<string, Placeholder>

/** What a {@link SystemdCgroup} works with. */
export interface SystemdUnit {
  readonly systemd: Systemd
  readonly name: string
  readonly placeholders: Placeholders
}

/** For systemd to stop a unit, after which a cgroup is removed as any other. */
const STOP_MS = 30_000

/** A cgroup that is a unit of systemd: what systemd knows of it is told to it, the rest is the cgroup's own. */
export class SystemdCgroup {
  readonly #unit: SystemdUnit
  readonly #outer: Cgroup
  readonly #inner: Cgroup

  /** @param outer - of the unit, which has the limits @param inner - that processes live in: the same, or one below it */
  constructor(unit: SystemdUnit, outer: Cgroup, inner: Cgroup) {
    this.#unit = unit
    this.#outer = outer
    this.#inner = inner
  }

  /** The name of its unit. */
  get unit(): string {
    return this.#unit.name
  }

  get host(): Cgroup['host'] {
    return this.#inner.host
  }

  get places(): Cgroup['places'] {
    return this.#inner.places
  }

  get paths(): Cgroup['paths'] {
    return this.#inner.paths
  }

  /**
   * Changes limits: in the cgroup, whose refusal ends it with nothing changed; in systemd, which would else undo them later; and in the cgroup again,
   * since systemd may have written what is close to them.
   *
   * @throws {DBusError} what systemd refuses
   */
  async set(limits: Limits, options: SetOptions & Waiting = {}): Promise<void> {
    const { signal, ...own } = options
    const { host } = this.#outer
    const devices = host.mode === 'v2' ? undefined : limits.devices
    const { properties, rounded } = await splitLimits(this.#unit.systemd, limits, { host, when: 'set', signal })
    await this.#outer.set(rounded, own)
    if (properties.length === 0) return
    // v1's list of devices is emptied before it is filled: nobody may look at it meanwhile.
    const hold = devices !== undefined && !DevicePolicy.of(devices).isAllowAll
    const frozen = hold && (await this.#inner.freezerState()) === 'THAWED'
    if (frozen) await this.#inner.freeze({ signal })
    try {
      await this.#unit.systemd.setProperties(this.#unit.name, properties, { signal })
      await this.#outer.set(rounded)
    } finally {
      if (frozen) await this.#inner.thaw()
    }
  }

  joinSelfSteps(options?: { unified?: boolean }): Step[] {
    return this.#inner.joinSelfSteps(options)
  }

  openUnified(): ReturnType<Cgroup['openUnified']> {
    return this.#inner.openUnified()
  }

  /** Moves a process into it, which may be its first. */
  async add(pid: number, options?: { sub?: string }): Promise<void> {
    await this.#inner.add(pid, options)
    await this.settled()
  }

  /**
   * Its first process is there: nobody has to keep the unit from ending any more. Once more is fine.
   *
   * @throws {LibcontainerError} `ETIMEDOUT` while v1's freezer holds it
   */
  async settled(): Promise<void> {
    const { name, placeholders } = this.#unit
    const placeholder = placeholders.get(name)
    await placeholder?.end()
    if (placeholders.get(name) === placeholder) placeholders.delete(name)
  }

  /** As of {@link Cgroup}: where its processes live. */
  delegate(uid: number, gid?: number): Promise<void> {
    return this.#inner.delegate(uid, gid)
  }

  processes(options?: { recursive?: boolean }): Promise<number[]> {
    return this.#inner.processes(options)
  }

  exists(): Promise<boolean> {
    return this.#inner.exists()
  }

  stats(controllers?: Parameters<Cgroup['stats']>[0]): ReturnType<Cgroup['stats']> {
    return this.#outer.stats(controllers)
  }

  oomKillCount(): Promise<number> {
    return this.#outer.oomKillCount()
  }

  oomEvents(waiting?: Waiting): ReturnType<Cgroup['oomEvents']> {
    return this.#outer.oomEvents(waiting)
  }

  memoryPressure(...args: Parameters<Cgroup['memoryPressure']>): ReturnType<Cgroup['memoryPressure']> {
    return this.#outer.memoryPressure(...args)
  }

  events(options?: EventsOptions): ReturnType<Cgroup['events']> {
    return this.#outer.events(options)
  }

  untilEmpty(waiting?: Waiting): Promise<void> {
    return this.#outer.untilEmpty(waiting)
  }

  notifyPressure(...args: Parameters<Cgroup['notifyPressure']>): ReturnType<Cgroup['notifyPressure']> {
    return this.#outer.notifyPressure(...args)
  }

  below(...args: Parameters<Cgroup['below']>): Promise<Cgroup> {
    return this.#inner.below(...args)
  }

  freeze(options?: WaitOptions): Promise<void> {
    return this.#inner.freeze(options)
  }

  thaw(): Promise<void> {
    return this.#inner.thaw()
  }

  freezerState(): ReturnType<Cgroup['freezerState']> {
    return this.#inner.freezerState()
  }

  signal(signal: number): Promise<number> {
    return this.#inner.signal(signal)
  }

  async kill(): Promise<void> {
    await this.#outer.kill()
    await this.settled()
  }

  /**
   * Stops the unit with all its processes, forgets that it has failed, and removes what is left of its directories. Gone already is fine.
   *
   * @param options.timeoutMs - for systemd. Default: 30 s
   */
  async destroy({ timeoutMs = STOP_MS, signal }: WaitOptions = {}): Promise<void> {
    // What is frozen does not hear that it is to end.
    if ((await this.#inner.freezerState()) !== 'THAWED') await this.#inner.thaw()
    await this.settled()
    await this.#unit.systemd.stop(this.#unit.name, { timeoutMs, signal })
    await this.#outer.destroy({ signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.destroy()
  }
}
