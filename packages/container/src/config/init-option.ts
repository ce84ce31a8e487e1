import { InitProgram } from '@libcontainer/init'
import { ConfigInvalid, environment, exists, kernelString, readBytes, SyscallError } from '@libcontainer/sys'

/** A program to be used in place of `init`. */
export interface InitOption {
  /** Absolute, or a bare name to be looked up in `PATH`. A static program that speaks as `init` does. */
  readonly path: string
  /** What it gets after the number of its first descriptor. Default: nothing. */
  readonly args?: readonly string[] | undefined
}

/** Reads the program, so that nobody can change it any more. @throws {ConfigInvalid} where there is none */
export async function loadInit(option: InitOption): Promise<InitProgram> {
  const { path, args = [] } = checkInit(option)
  const file = path.startsWith('/') ? path : await lookUp(path)
  try {
    const bytes = await readBytes(file)
    return new InitProgram(() => bytes, args)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new ConfigInvalid('init.path', path, `cannot be read: ${error.code}`, { cause: error })
  }
}

function checkInit(option: InitOption): InitOption {
  if (typeof option !== 'object' || option === null || Array.isArray(option))
    throw new ConfigInvalid('init', option, 'must be { path, args }')
  const { path, args = [], ...others } = option
  for (const [key, value] of Object.entries(others))
    throw new ConfigInvalid(`init.${key}`, value, 'must be one of path, args')
  if (kernelString(path, 'init.path') === '' || (path.includes('/') && !path.startsWith('/')))
    throw new ConfigInvalid('init.path', path, 'must be absolute, or a name to be looked up in PATH')
  if (!Array.isArray(args)) throw new ConfigInvalid('init.args', args, 'must be a list')
  for (const [i, arg] of args.entries()) kernelString(arg, `init.args[${i}]`)
  return option
}

async function lookUp(name: string): Promise<string> {
  for (const directory of (environment.PATH ?? '').split(':')) {
    // What is relative would be another program in every directory.
    if (directory.startsWith('/') && (await exists(`${directory}/${name}`))) return `${directory}/${name}`
  }
  throw new ConfigInvalid('init.path', name, 'is in no directory of PATH', { hint: 'give its absolute path' })
}
