import { reaperProgram } from '@libcontainer/init'
import type { Executor } from '../config/executor.js'

/**
 * The executor of containers whose programs are no init: PID 1 is a small program from memory that starts theirs, passes all signals on, reaps orphans, and exits
 * as theirs does, with 128 and the signal that has killed it. A program that is not there is the status 127, and no error of the start.
 */
export const reaper: Executor = ({ args }) => ({ program: reaperProgram, args: ['reaper', ...args] })
