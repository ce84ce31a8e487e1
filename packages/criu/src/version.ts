import { startProgram } from '@libcontainer/sys'
import { type Asked, ask } from './ask.js'
import { CriuTooOld, OLDEST } from './errors.js'
import { askedOnce, type Criu, criuPath } from './place.js'

export interface CriuVersion {
  readonly major: number
  readonly minor: number
  /** 0 where the version has two numbers alone. */
  readonly sublevel: number
  /** `3.17.1`, `4.0`. */
  readonly text: string
  /** The release's name, where it has one. */
  readonly name?: string | undefined
  /** What it was built from, where that was no release. */
  readonly gitId?: string | undefined
}

/**
 * The version of CRIU, asked over its RPC; once for each program.
 *
 * @throws {SyscallError} `ENOENT` where it is not installed
 * @throws {CriuTooOld} before 3.0
 */
export async function version(criu: Asked = {}): Promise<CriuVersion> {
  return await askVersion(criu)
}

const askVersion = askedOnce(async (criu): Promise<CriuVersion> => {
  const response = await ask(criu, { type: 'VERSION' })
  // The request is not known before 3.0.
  const told = response.success && response.type === 'VERSION' ? response.version : undefined
  if (told === undefined) throw new CriuTooOld(criu.service ?? (await criuPath(criu)), await saidOf(criu), OLDEST)
  const { majorNumber: major, minorNumber: minor, sublevel = 0, name, gitid } = told
  const text = sublevel === 0 ? `${major}.${minor}` : `${major}.${minor}.${sublevel}`
  const found = { major, minor, sublevel, text, name, gitId: gitid }
  if (!atLeast(found, OLDEST)) throw new CriuTooOld(criu.service ?? (await criuPath(criu)), text, OLDEST)
  return found
})

/** What a program says of itself that cannot be asked: a service has nothing else. */
async function saidOf(criu: Criu): Promise<string> {
  if (criu.service !== undefined) return 'of an unknown version'
  const program = await startProgram({ steps: [] }, [await criuPath(criu), '-V'], {
    env: {},
    cwd: '/',
    stdio: ['null', 'pipe', 'null'],
  })
  return parseVersion((await program.output()).stdout)?.text ?? 'of an unknown version'
}

/** What `criu -V` prints, in its first line: `Version: 3.17.1`, and `x.y`. Pure; `undefined` for anything else. */
export function parseVersion(output: string): CriuVersion | undefined {
  const found = /^Version: (\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d.])/m.exec(output)
  if (found === null) return undefined
  const [major = 0, minor = 0, sublevel = 0] = found.slice(1).map(number => Number(number ?? 0))
  const gitId = /^GitID: (\S+)/m.exec(output)?.[1]
  const text = found.slice(1).filter(Boolean).join('.')
  return { major, minor, sublevel, text, gitId }
}

/** Whether a version is that of `wanted`, such as `3.14`, or a later one. Pure. */
export function atLeast({ major, minor, sublevel }: CriuVersion, wanted: string): boolean {
  const have = [major, minor, sublevel]
  const want = wanted.split('.').map(Number)
  for (const [i, number] of have.entries()) {
    const least = want[i] ?? 0
    if (number !== least) return number > least
  }
  return true
}
