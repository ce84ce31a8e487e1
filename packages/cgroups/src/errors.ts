import { LibcontainerError } from '@libcontainer/sys'

/** A limit that this host cannot set: a controller is missing, or the kernel's version of it has no such limit. */
export class LimitUnsupported extends LibcontainerError {
  override readonly name = 'LimitUnsupported'
  /** The field of the limits, such as `memory.high`. */
  readonly field: string
  /** The controller that would obey it. */
  readonly controller: string

  /** @param hint - what would make it possible: a line to run where there is one */
  constructor(field: string, controller: string, problem: string, hint?: string) {
    super('LimitUnsupported', `${field}: ${problem}`, { hint })
    this.field = field
    this.controller = controller
  }
}
