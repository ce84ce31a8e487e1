import { exit, type LibcontainerError, visibleText } from '@libcontainer/sys'

/** Runs a command line to its end, and ends the process with its exit code. @param program - the name that messages begin with */
export async function runMain(program: string, run: () => Promise<number>): Promise<never> {
  // A defect must not leave the user's terminal raw.
  process.on('uncaughtException', async error => {
    const { restoreTerminals } = await import('@libcontainer/console')
    restoreTerminals()
    process.stderr.write(`${program}: ${visibleText(String(error.stack))}\n`)
    exit(1)
  })
  try {
    return exit(await run())
  } catch (error) {
    // Only where there is no binding: on another system, or where the package is not whole.
    const { message, hint } = error as LibcontainerError
    process.stderr.write(visibleText(`${program}: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`))
    return exit(1)
  }
}
