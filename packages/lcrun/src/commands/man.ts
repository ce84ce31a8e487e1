import { type Invocation, manual, namedCommand, print } from '@libcontainer/cli'
import { version } from '#version'
import { table } from '../commands.js'

/** Prints a manual page, for man(1): `lcrun man run | man -l -`. */
export async function run(invocation: Invocation): Promise<number> {
  await print(manual(table, { version: version() }, namedCommand(table, invocation)))
  return 0
}
