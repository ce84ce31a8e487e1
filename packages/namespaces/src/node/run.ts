import { exitCode, isErrno, onSignals, type Program, visibleLine } from '@libcontainer/sys'

/** As env(1) and nsenter(1) have them. */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

const SIGINT = 2
const SIGQUIT = 3
/** HUP, INT, QUIT, USR1, USR2, TERM. */
const FORWARDED = [1, SIGINT, SIGQUIT, 10, 12, 15]

/** Runs a command to its end: the exit code is the command's. What this process is told meanwhile, the command is told. */
export async function run(file: string, start: () => Promise<Program>): Promise<number> {
  // What a terminal sends goes to both already.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const early: number[] = []
  let program: Program | undefined
  const listening = onSignals(FORWARDED, signal => {
    if (program === undefined) early.push(signal)
    else if (!(hasTerminal && (signal === SIGINT || signal === SIGQUIT))) program.signal(signal)
  })
  try {
    program = await start()
    for (const signal of early) program.signal(signal)
    return exitCode(await program.wait())
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'ELOOP') || error.syscall !== 'execve') throw error
    process.stderr.write(`namespaces: ${visibleLine(file)}: ${visibleLine(error.message)}\n`)
    return error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE
  } finally {
    listening.stop()
  }
}
