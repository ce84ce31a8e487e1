import {
  exists,
  LibcontainerError,
  openNull,
  type ProgramOutput,
  SyscallError,
  startProgram,
  type Waiting,
} from '@libcontainer/sys'

/** Where it is installed. */
const PLACES = [
  '/usr/sbin/apparmor_parser',
  '/sbin/apparmor_parser',
  '/usr/bin/apparmor_parser',
  '/bin/apparmor_parser',
]
const ENOENT = -2

/** The path of `apparmor_parser`, which compiles profiles and is nobody's to write again; `undefined` where it is not installed. */
export async function findParser(): Promise<string | undefined> {
  for (const place of PLACES) if (await exists(place)) return place
  return undefined
}

/**
 * Runs it to its end.
 *
 * @throws {SyscallError} `ENOENT` where it is not installed
 * @throws {LibcontainerError} `ProfileRefused` with what it says
 */
export async function runParser(
  args: readonly string[],
  { parser, signal }: Waiting & { readonly parser?: string | undefined },
): Promise<void> {
  const program = parser ?? (await findParser())
  if (program === undefined || !(await exists(program)))
    throw new SyscallError(ENOENT, 'execve', {
      path: program ?? PLACES[0],
      hint: 'apparmor_parser compiles and loads profiles: install the package apparmor',
    })
  const nothing = openNull()
  let output: ProgramOutput
  try {
    const running = await startProgram({ steps: [] }, [program, ...args], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      cwd: '/',
      stdio: [nothing.fd, 'pipe', 'pipe'],
      signal,
    })
    output = await running.output()
  } finally {
    nothing.close()
  }
  const { status, stdout, stderr } = output
  if (status.code === 0) return
  const said = `${stderr}${stdout}`.trim()
  throw new LibcontainerError('ProfileRefused', `apparmor_parser ended with ${status.code ?? status.signal}: ${said}`, {
    hint: said.includes('Permission denied') ? 'loading profiles needs CAP_MAC_ADMIN' : undefined,
  })
}
