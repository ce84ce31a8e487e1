import type { Step } from '@libcontainer/sys'
import { type ClassicOptions, type ClassicSyscall, fromClassic } from './classic.js'
import type { Profile } from './profile.js'
import { seccompSteps } from './steps.js'

/** A filter of 2015 in the making: everything is allowed but what is added, one entry a system call. */
export class Context {
  readonly #calls = new Map<number, ClassicSyscall>()

  /** A later one for the same call replaces the earlier. */
  add(call: ClassicSyscall): this {
    this.#calls.set(call.value, call)
    return this
  }

  /** Takes back what was added for a call; nothing where nothing was. */
  remove(value: number): this {
    this.#calls.delete(value)
    return this
  }

  /** The same as a profile. @throws {ConfigInvalid} as {@link fromClassic} */
  profile(options: ClassicOptions = {}): Profile {
    return fromClassic([...this.#calls.values()], options)
  }

  /** What was `load`: the steps for the process that is to have it, which needs no_new_privs, as 2015 always set, or CAP_SYS_ADMIN. */
  steps(options: ClassicOptions = {}): Step[] {
    return seccompSteps(this.profile(options), options)
  }
}
