import { type PreparedStdio, prepareStdio } from '@libcontainer/sys'
import type { HostTerminal, ProcessSpec } from '../config/process-spec.js'

/** What a process is born with. With a terminal the streams start on the null device, and init replaces them. */
export const stdioOf = ({ stdio = 'null', terminal }: ProcessSpec): PreparedStdio =>
  prepareStdio(terminal ? 'null' : stdio)

export const isHostTerminal = (terminal: ProcessSpec['terminal']): terminal is HostTerminal =>
  typeof terminal === 'object' && terminal !== null && 'slave' in terminal
