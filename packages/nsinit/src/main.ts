import { flushLog, help, isOn, type Parsed, parse, print, report } from '@libcontainer/cli'
import { engine } from '@libcontainer/sys'
import { table } from './commands.js'
import { openLogOf } from './log.js'

/** The version of the command line that this one is the heir of: its commands and flags. */
const VERSION = '2'

/**
 * Runs a command line of `nsinit`.
 *
 * @param args - without the program's name
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  let debug = false
  try {
    const parsed = parse(args, table)
    debug = isOn(parsed, 'debug')
    await openLogOf(parsed)
    return await carryOut(parsed)
  } catch (error) {
    return await report(error, { program: 'nsinit', debug })
  } finally {
    await flushLog()
  }
}

async function carryOut(parsed: Parsed): Promise<number> {
  const { command } = parsed
  if (isOn(parsed, 'version')) {
    await print(`nsinit version ${VERSION} (${engine})\n`)
    return 0
  }
  if (command === undefined || isOn(parsed, 'help')) {
    await print(help(table, command))
    return 0
  }
  const { run } = await command.load()
  return await run(parsed)
}
