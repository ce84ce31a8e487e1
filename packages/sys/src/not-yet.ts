import { ConfigInvalid, LibcontainerError } from './errors/errors.js'

/**
 * The error for what is known and not done yet: a field or flag with its value, or a command, without one. What is asked for is refused by name,
 * and never ignored.
 *
 * @param owner - the package that will do it
 */
export function notYet(
  what: string,
  owner: string,
  { value, hint }: { value?: unknown; hint?: string } = {},
): LibcontainerError {
  const problem = `cannot be honoured yet: it will be done by ${owner}`
  return value === undefined
    ? new LibcontainerError('ERR_UNSUPPORTED', `${what} ${problem}`, { hint })
    : new ConfigInvalid(what, value, problem, hint === undefined ? {} : { hint })
}
