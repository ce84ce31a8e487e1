import { flushLog, help, isOn, type Parsed, parse, print, report, UsageError } from '@libcontainer/cli'
import { LibcontainerError } from '@libcontainer/sys'
import { table } from './commands.js'
import { openLogOf, prepareGlobals } from './globals.js'

/** What tells callers that exec itself has failed, and not the program. */
const EXEC_FAILED = 255

/**
 * Runs a command line of `lcrun`.
 *
 * @param args - without the program's name
 * @returns the exit code: the program's own, or 1 for an error, 255 for one of `exec`
 */
export async function run(args: readonly string[]): Promise<number> {
  let parsed: Parsed | undefined
  try {
    parsed = parse(args, table)
    await prepareGlobals(parsed)
    return await carryOut(parsed)
  } catch (error) {
    if (error instanceof UsageError) await showUsage(error, parsed)
    const code = await report(error, {
      program: table.name,
      debug: parsed !== undefined && isOn(parsed, 'debug'),
      logged,
    })
    return code === 1 && parsed?.command?.name === 'exec' ? EXEC_FAILED : code
  } finally {
    await flushLog()
  }
}

async function carryOut(parsed: Parsed): Promise<number> {
  const { command } = parsed
  if (isOn(parsed, 'version')) {
    const { versionText } = await import('./version-text.js')
    await print(versionText())
    return 0
  }
  if (command === undefined || (isOn(parsed, 'help') && !command.absent)) {
    await print(help(table, command))
    return 0
  }
  const { run } = await command.load()
  return await run(parsed)
}

/** The log hears of it, too, where the words before it say which. */
async function showUsage({ command, flags }: UsageError, parsed: Parsed | undefined): Promise<void> {
  if (parsed === undefined) await openLogOf({ flags })
  await print(`Incorrect Usage.\n\n${help(table, command)}\n`)
}

/** One line of the log is all that an engine shows of an error: what can be done about it stands there, too. */
function logged(error: unknown): string {
  const { message } = error as Error
  return error instanceof LibcontainerError && error.hint !== undefined ? `${message} (${error.hint})` : message
}
