import { engine } from '@libcontainer/sys'
import { isOn, type Parsed, parse } from './command-line.js'
import { table } from './commands.js'
import { report } from './failure.js'
import { flushLog, openLog } from './log.js'

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
    await openLog(parsed)
    return await carryOut(parsed)
  } catch (error) {
    return await report(error, { debug })
  } finally {
    await flushLog()
  }
}

async function carryOut(parsed: Parsed): Promise<number> {
  const { command } = parsed
  if (isOn(parsed, 'version')) {
    const { print } = await import('./output.js')
    await print(`nsinit version ${VERSION} (${engine})\n`)
    return 0
  }
  if (command === undefined || isOn(parsed, 'help')) {
    const [{ help }, { print }] = await Promise.all([import('./help.js'), import('./output.js')])
    await print(help(table, command))
    return 0
  }
  const { run } = await command.load()
  return await run(parsed)
}
