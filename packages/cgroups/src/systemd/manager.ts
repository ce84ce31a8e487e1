import { LibcontainerError } from '@libcontainer/sys'
import { BUS, type DBusConnection, type MethodCall } from '../dbus/connection.js'
import { DBusDisconnected, DBusError } from '../dbus/errors.js'
import type { DBusValue, Variant } from '../dbus/value.js'
import { withDeadline } from '../deadline.js'
import { MANAGER_INTERFACE, watchJobs } from './jobs.js'
import type { UnitProperty } from './property.js'
import { connectManager, type ManagerSocket, managerSockets } from './sockets.js'
import { Together } from './together.js'

export interface SystemdOptions {
  /** The manager of this user in place of the system's. Default: false */
  readonly user?: boolean | undefined
  /** How long each answer and each job may take, in milliseconds. Default: 30 s */
  readonly timeoutMs?: number | undefined
  /** Where to ask. Default: the bus that the environment names, the usual one, systemd's own socket */
  readonly sockets?: readonly ManagerSocket[] | undefined
}

export interface SystemdWaiting {
  readonly signal?: AbortSignal | undefined
  /** In place of the one of {@link SystemdOptions}. */
  readonly timeoutMs?: number | undefined
}

const NAME = 'org.freedesktop.systemd1'
const MANAGER = { path: '/org/freedesktop/systemd1', interface: MANAGER_INTERFACE } as const
const ANSWER_MS = 30_000

interface Open {
  readonly connection: DBusConnection
  readonly bus: boolean
  /** The name that the manager has on the bus, as far as it is known. */
  owner?: string | undefined
  readonly subscribed: Together<void>
}

/** A service manager, asked over one connection, which is made when it is first needed and again when it was lost. */
export class Systemd {
  /** Whether it is this user's. */
  readonly user: boolean
  readonly #timeoutMs: number
  readonly #sockets: readonly ManagerSocket[]
  readonly #open = new Together<Open>()
  #version: number | undefined
  #controlGroup: string | undefined

  constructor({ user = false, timeoutMs = ANSWER_MS, sockets }: SystemdOptions = {}) {
    this.user = user
    this.#timeoutMs = timeoutMs
    this.#sockets = sockets ?? managerSockets(user)
  }

  /** Its version: 252. */
  async version(waiting: SystemdWaiting = {}): Promise<number> {
    this.#version ??= versionOf(String(await this.property('Version', waiting)))
    return this.#version
  }

  /** The cgroup that its units are below; '' is the top. */
  async controlGroup(waiting: SystemdWaiting = {}): Promise<string> {
    this.#controlGroup ??= String(await this.property('ControlGroup', waiting)).replace(/\/+$/, '')
    return this.#controlGroup
  }

  /** A property of the manager itself. */
  async property(name: string, waiting: SystemdWaiting = {}): Promise<DBusValue> {
    const call = { path: MANAGER.path, interface: 'org.freedesktop.DBus.Properties', member: 'Get' }
    const [value] = await this.#call({ ...call, signature: 'ss', body: [MANAGER.interface, name] }, waiting)
    return (value as Variant).value
  }

  /**
   * Makes a unit that is gone with its processes, and waits until it is there. One of the name that has failed is forgotten first.
   *
   * @throws {DBusError} `org.freedesktop.systemd1.UnitExists`, and whatever else systemd refuses
   * @throws {LibcontainerError} `UnitFailed` when it was begun and did not come up
   */
  async start(unit: string, properties: readonly UnitProperty[], waiting: SystemdWaiting = {}): Promise<void> {
    const list = properties.map(({ name, type, value }) => [name, { type, value }] as const)
    const call = { ...MANAGER, member: 'StartTransientUnit', signature: 'ssa(sv)a(sa(sv))' }
    const run = (): Promise<string> => this.#job({ ...call, body: [unit, 'replace', list, []] }, waiting)
    let result: string
    try {
      result = await run()
    } catch (error) {
      if (!isBusError(error, UNIT_EXISTS)) throw error
      await this.resetFailed(unit, waiting)
      result = await run()
    }
    if (result === 'done') return
    await this.resetFailed(unit, waiting)
    throw new LibcontainerError(
      'UnitFailed',
      `systemd could not start the unit ${unit}: its job has ended as '${result}'`,
      {
        hint: `journalctl -u ${unit} tells why`,
      },
    )
  }

  /** Stops a unit with all its processes, and waits until it is gone. One that is not there is fine. */
  async stop(unit: string, waiting: SystemdWaiting = {}): Promise<void> {
    try {
      await this.#job({ ...MANAGER, member: 'StopUnit', signature: 'ss', body: [unit, 'replace'] }, waiting)
    } catch (error) {
      if (!isBusError(error, NO_SUCH_UNIT, 'org.freedesktop.systemd1.LoadFailed')) throw error
    }
    await this.resetFailed(unit, waiting)
  }

  /** Changes properties of a unit, until the next boot. @throws {DBusError} */
  async setProperties(unit: string, properties: readonly UnitProperty[], waiting: SystemdWaiting = {}): Promise<void> {
    const list = properties.map(({ name, type, value }) => [name, { type, value }] as const)
    const call = { ...MANAGER, member: 'SetUnitProperties', signature: 'sba(sv)' }
    await this.#call({ ...call, body: [unit, true, list] }, waiting)
  }

  /** Forgets that a unit has failed, by which its name is free again. One that is not there, or has not failed, is fine. */
  async resetFailed(unit: string, waiting: SystemdWaiting = {}): Promise<void> {
    try {
      await this.#call({ ...MANAGER, member: 'ResetFailedUnit', signature: 's', body: [unit] }, waiting)
    } catch (error) {
      if (!isBusError(error, NO_SUCH_UNIT)) throw error
    }
  }

  /** Ends the connection. The next call makes another. */
  async close(): Promise<void> {
    const opening = this.#open.done
    this.#open.forget()
    const open = await opening?.catch(() => undefined)
    open?.connection.close()
  }

  async #call(call: MethodCall, waiting: SystemdWaiting): Promise<readonly DBusValue[]> {
    return await this.#within(call, waiting, (open, signal) => this.#ask(open, call, signal))
  }

  /** A call whose answer names a job, and how that has ended. */
  async #job(call: MethodCall, waiting: SystemdWaiting): Promise<string> {
    return await this.#within(call, waiting, async (open, signal) => {
      await this.#subscribe(open, signal)
      const jobs = watchJobs(open.connection, sender => this.#isManager(open, sender, signal))
      try {
        const [job] = await this.#ask(open, call, signal)
        return await jobs.result(String(job), signal)
      } finally {
        jobs.stop()
      }
    })
  }

  /** Once more over a new connection, when the old one was lost before all of the call had gone out: it idles while systemd is restarted. */
  async #within<T>(
    { member }: MethodCall,
    { signal, timeoutMs = this.#timeoutMs }: SystemdWaiting,
    act: (open: Open, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = (): Error => timedOut(member, timeoutMs)
    return await withDeadline({ timeoutMs, signal }, late, async signal => {
      try {
        return await act(await this.#connect(signal), signal)
      } catch (error) {
        if (!(error instanceof DBusDisconnected) || error.sent) throw error
        return await act(await this.#connect(signal), signal)
      }
    })
  }

  async #connect(signal: AbortSignal): Promise<Open> {
    const connect = async (): Promise<Open> => ({
      ...(await connectManager(this.#sockets, this.user, { signal })),
      subscribed: new Together(),
    })
    return await this.#open.do(connect, signal, ({ connection }) => !connection.closed)
  }

  #ask({ connection, bus }: Open, call: MethodCall, signal: AbortSignal): Promise<readonly DBusValue[]> {
    return connection.call(bus ? { destination: NAME, ...call } : call, { signal })
  }

  /** Without it the manager tells nobody of its jobs; on its own socket it tells everybody. */
  async #subscribe(open: Open, signal: AbortSignal): Promise<void> {
    if (!open.bus) return
    const subscribe = async (): Promise<void> => {
      const rule = `type='signal',sender='${NAME}',interface='${MANAGER.interface}',member='JobRemoved',path='${MANAGER.path}'`
      await open.connection.call({ ...BUS, member: 'AddMatch', signature: 's', body: [rule] }, { signal })
      await this.#ask(open, { ...MANAGER, member: 'Subscribe' }, signal)
    }
    await open.subscribed.do(subscribe, signal)
  }

  /** The bus hands on what anybody sends to this client by its name; the manager itself gets a new name when it is executed again. */
  async #isManager(open: Open, sender: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (!open.bus) return true
    if (sender !== undefined && sender !== open.owner) {
      const call = { ...BUS, member: 'GetNameOwner', signature: 's', body: [NAME] }
      const [owner] = await open.connection.call(call, { signal })
      open.owner = String(owner)
    }
    return sender === open.owner
  }
}

export const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists'
const NO_SUCH_UNIT = 'org.freedesktop.systemd1.NoSuchUnit'

/** Whether an error is the answer of a service by one of these names. */
export const isBusError = (error: unknown, ...names: string[]): error is DBusError =>
  error instanceof DBusError && names.includes(error.code)

const timedOut = (member: string, timeoutMs: number): LibcontainerError =>
  new LibcontainerError('ETIMEDOUT', `${member}: systemd has not answered within ${timeoutMs} ms`, {
    hint: 'systemctl list-jobs tells what it is at; a longer time can be given',
  })

/** `v252.38-1~deb12u1`, `252 (252.38-1)`, `247.3-7`: the number in front. 0 where there is none. */
const versionOf = (text: string): number => Number(/\d+/.exec(text)?.[0] ?? 0)
