import { print } from '@libcontainer/cli'
import { stringifyJson, visibleJson } from '@libcontainer/sys'

/** Prints a value as JSON on one line, as programs read it that take line by line. */
export async function printLine(value: unknown): Promise<void> {
  await print(`${visibleJson(stringifyJson(value))}\n`)
}
