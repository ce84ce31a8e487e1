import { print } from '@libcontainer/cli'
import { stringifyJson } from '@libcontainer/sys'

/** Prints a value as JSON on one line, as programs read it that take line by line. */
export async function printLine(value: unknown): Promise<void> {
  await print(`${stringifyJson(value)}\n`)
}
