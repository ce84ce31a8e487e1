import { ConfigInvalid, isErrno, readText, readTextIfPresent, writeText } from '@libcontainer/sys'
import type { Resctrl } from './resctrl.js'
import { formatSchemata, parseSchemata, type Schema } from './schemata.js'
import { type DomainStats, readMonitoring } from './stats.js'

/** A group of resctrl: of tasks that share a part of the caches and of the way to memory, or that are only counted together. */
export class ResctrlGroup {
  /** Its path below resctrl: `''` for the root, `NAME`, `NAME/mon_groups/NAME`. */
  readonly name: string
  readonly #resctrl: Resctrl

  /** @internal groups come from a {@link Resctrl} */
  constructor(resctrl: Resctrl, name: string) {
    this.#resctrl = resctrl
    this.name = name
  }

  /** Where it is. */
  get path(): string {
    return this.name === '' ? this.#resctrl.path : `${this.#resctrl.path}/${this.name}`
  }

  /** What its tasks may have. Of a group that only counts, that of the group it is in is asked. */
  async schemata(): Promise<Schema[]> {
    const text = await this.#resctrl.within(this.name, at => readTextIfPresent('schemata', { at }))
    return parseSchemata(text ?? '')
  }

  /** Changes what its tasks may have: all of it in one write, of which the kernel does all or nothing. What is not named stays. */
  async setSchemata(schemata: readonly Schema[]): Promise<void> {
    if (schemata.length === 0) return
    await this.#write('schemata', formatSchemata(schemata))
  }

  /** The threads in it. */
  async tasks(): Promise<number[]> {
    const text = await this.#resctrl.within(this.name, at => readText('tasks', { at }))
    return text.split('\n').filter(Boolean).map(Number)
  }

  /**
   * Moves a thread into it; what that starts later is there too. A group that only counts takes tasks of the group that it is in alone.
   *
   * @throws {SyscallError} `ESRCH`
   */
  async add(pid: number): Promise<void> {
    // The kernel takes 0 for who writes.
    if (!Number.isSafeInteger(pid) || pid < 1) throw new ConfigInvalid('pid', pid, 'must be the number of a process')
    await this.#write('tasks', String(pid))
  }

  /** The group of a name in it that only counts; it need not be there. */
  monGroup(name: string): ResctrlGroup {
    const { name: within } = this.#resctrl.group(name)
    if (within === '' || this.name.includes('/'))
      throw new ConfigInvalid('name', name, 'must be that of a group in mon_groups of another')
    return new ResctrlGroup(this.#resctrl, `${this.name === '' ? '' : `${this.name}/`}mon_groups/${within}`)
  }

  /** Makes a group in it that only counts. @throws {SyscallError} `EEXIST`, `ENOSPC` */
  async createMonGroup(name: string): Promise<ResctrlGroup> {
    const group = this.monGroup(name)
    await this.#resctrl.make(group.name)
    return group
  }

  /** What the kernel has counted, by cache. */
  async monitoring(): Promise<DomainStats[]> {
    return await this.#resctrl.within(this.name, readMonitoring)
  }

  /** Whether it is there. */
  async exists(): Promise<boolean> {
    try {
      return await this.#resctrl.within(this.name, async () => true)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw error
    }
  }

  /** Removes it; its tasks fall to the group above, and groups in it go, too. Absent is fine. */
  async remove(): Promise<void> {
    if (this.name === '') throw new ConfigInvalid('name', '/', 'must not be the root, which stays')
    await this.#resctrl.remove(this.name)
  }

  async #write(file: string, text: string): Promise<void> {
    const path = this.name === '' ? file : `${this.name}/${file}`
    await this.#resctrl.command(path, () => this.#resctrl.within(this.name, at => writeText(file, text, { at })))
  }
}
