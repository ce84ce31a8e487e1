import { Cgroup } from '@libcontainer/cgroups'
import { expandSlice, SystemdDriver, type SystemdDriverOptions } from '@libcontainer/cgroups/systemd'
import { onTestFinished } from 'vitest'
import type { DBusMessage } from '../../src/dbus/message.js'
import type { Variant } from '../../src/dbus/value.js'
import { type Answer, FakeBus } from '../dbus/fake-bus.js'
import { freshPath, removedAtEnd } from '../support.js'

export type Properties = Readonly<Record<string, Variant['value']>>

const NAME = 'org.freedesktop.systemd1'

/** Does with real cgroups what systemd does when it is asked for units, below a cgroup of its own. */
export class FakeSystemd {
  readonly bus: FakeBus
  readonly controlGroup: string
  version = '252 (252.38-1~deb12u1)'
  /** What was asked for, in order: `StartTransientUnit a.scope`. */
  readonly asked: string[] = []
  /** The properties that each unit was made with, and then each change. */
  readonly told: Properties[] = []
  readonly units = new Map<string, Cgroup>()
  /** How the next jobs end. Default: done */
  result = 'done'
  /** Instead of all else: true when it has answered. */
  instead: (call: DBusMessage, answer: Answer) => boolean | Promise<boolean> = () => false
  /** Tells of the end of a job before the job itself. */
  early = false
  #jobs = 0

  private constructor(bus: FakeBus) {
    this.bus = bus
    this.controlGroup = freshPath()
    removedAtEnd(this.controlGroup)
    bus.answer = (call, answer) => void this.#answer(call, answer)
  }

  static async start(): Promise<FakeSystemd> {
    return new FakeSystemd(await FakeBus.listen())
  }

  driver(options: SystemdDriverOptions = {}): SystemdDriver {
    const driver = new SystemdDriver({ sockets: [{ path: this.bus.path, bus: true }], timeoutMs: 5000, ...options })
    onTestFinished(() => driver.close())
    return driver
  }

  /** What was asked for but the questions about systemd itself. */
  get acts(): string[] {
    return this.asked.filter(text => !/^(?:Get|Subscribe)/.test(text))
  }

  async #answer(call: DBusMessage, answer: Answer): Promise<void> {
    const { member = '', body } = call
    const [first, second, third] = body
    this.asked.push(
      typeof first === 'string' && member !== 'Get' ? `${member} ${first}` : `${member} ${second ?? ''}`.trim(),
    )
    if (await this.instead(call, answer)) return
    const unit = this.units.get(first as string)
    switch (member) {
      case 'Get':
        answer.return('v', [{ type: 's', value: second === 'Version' ? this.version : this.controlGroup }])
        return
      case 'StartTransientUnit': {
        if (unit !== undefined) return answer.error(`${NAME}.UnitExists`, `Unit ${first} already exists.`)
        const properties = asRecord(third)
        this.told.push(properties)
        if (this.result === 'done') await this.#make(first as string, properties)
        return this.#job(first as string, answer)
      }
      case 'StopUnit':
        if (unit === undefined) return answer.error(`${NAME}.NoSuchUnit`, `Unit ${first} not loaded.`)
        this.units.delete(first as string)
        await unit.kill()
        await unit.destroy()
        return this.#job(first as string, answer)
      case 'SetUnitProperties':
        if (unit === undefined) return answer.error(`${NAME}.NoSuchUnit`, `Unit ${first} not loaded.`)
        this.told.push(asRecord(third))
        return answer.return()
      case 'ResetFailedUnit':
        return answer.error(`${NAME}.NoSuchUnit`, `Unit ${first} not loaded.`)
      default:
        answer.return()
    }
  }

  async #make(name: string, { Slice, PIDs }: Properties): Promise<void> {
    const above = expandSlice(name.endsWith('.slice') ? name : String(Slice))
    const path = name.endsWith('.slice') ? above : `${above}/${name}`
    const cgroup = await Cgroup.create(`${this.controlGroup}${path}`, {}, { existing: true })
    for (const pid of (PIDs as readonly number[] | undefined) ?? []) await cgroup.add(pid)
    this.units.set(name, cgroup)
  }

  #job(unit: string, answer: Answer): void {
    const job = `/org/freedesktop/systemd1/job/${++this.#jobs}`
    const tell = (): void => this.bus.signal('JobRemoved', 'uoss', [this.#jobs, job, unit, this.result])
    if (this.early) tell()
    // What any client may send to another is no word of systemd's.
    this.bus.signal('JobRemoved', 'uoss', [this.#jobs, job, unit, 'forged'], ':1.666')
    answer.return('o', [job])
    if (!this.early) tell()
  }
}

const asRecord = (list: unknown): Properties =>
  Object.fromEntries((list as [string, Variant][]).map(([name, { value }]) => [name, value]))
