import { checked } from '../errors/errors.js'
import type { OwnedFd } from '../files/fd.js'
import { native } from '../native.js'
import { signalName, signalNumber } from './signals.js'

/**
 * The signal that the kernel sends a process when the thread that made it ends: PR_SET_PDEATHSIG of prctl(2). What executes a set-user-id
 * program or changes its ids loses it; what is forked does not get it.
 */
export class ParentDeathSignal {
  /** The signal's number; 0 is none. */
  readonly number: number

  /** @param signal - by name or number; 0 for none */
  constructor(signal: string | number) {
    this.number = signal === 0 ? 0 : signalNumber(signal)
  }

  /** What this process gets. */
  static get(): ParentDeathSignal {
    return new ParentDeathSignal(checked(native.sync.getParentDeathSignal(), 'prctl(PR_GET_PDEATHSIG)'))
  }

  /** Its name, such as `SIGKILL`; `none`. */
  get name(): string {
    return this.number === 0 ? 'none' : signalName(this.number)
  }

  /** Makes it the one that this process gets. */
  set(): void {
    checked(native.sync.keepParentDeathSignal(this.number), 'prctl(PR_SET_PDEATHSIG)')
  }

  /** Sets it again where a change of ids has cleared it. Answers whether it was to be done. */
  restore(): boolean {
    if (ParentDeathSignal.get().number === this.number) return false
    this.set()
    return true
  }
}

/** Whether orphans below this process become its children instead of init's: PR_GET_CHILD_SUBREAPER of prctl(2). */
export function getSubreaper(): boolean {
  return checked(native.sync.getSubreaper(), 'prctl(PR_GET_CHILD_SUBREAPER)') === 1
}

/** Makes this process the parent of orphans below it, or no longer. Who says `true` must reap them. */
export function setSubreaper(on: boolean): void {
  checked(native.sync.setSubreaper(on ? 1 : 0), 'prctl(PR_SET_CHILD_SUBREAPER)')
}

/**
 * Reaps all children of this process that have ended but one, whose end somebody waits for. Of a process that has other children to wait
 * for, none may be under way.
 *
 * @returns how many there were
 */
export function reapOthers(spared: OwnedFd): number {
  return checked(native.sync.reapOthers(spared.fd), 'waitid')
}

/** Lets no program that is executed from now on have a descriptor from `first` on. @see close_range(2) */
export function closeExecFrom(first: number): void {
  checked(native.sync.closeExecFrom(first), 'close_range')
}

/** How many of the clock ticks that /proc counts in make a second: 100 on every architecture here. */
export function clockTicks(): number {
  return checked(native.sync.clockTicks(), 'sysconf')
}

/** Random bytes of the kernel. @see getrandom(2) */
export function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  checked(native.sync.randomBytes(bytes), 'getrandom')
  return bytes
}

const MAX_HEX = 64

/**
 * A name that nobody else has: `prefix` and so many random hexadecimal digits.
 *
 * @param size - digits; at most 64 are made, from 32 bytes. Default: 64
 */
export function generateRandomName(prefix: string, size = MAX_HEX): string {
  const digits = Array.from(randomBytes(MAX_HEX / 2), byte => byte.toString(16).padStart(2, '0')).join('')
  return prefix + digits.slice(0, Math.max(0, Math.min(size, MAX_HEX)))
}
