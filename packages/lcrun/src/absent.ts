import { LibcontainerError } from '@libcontainer/sys'

/** Refuses what is named and not there yet. */
export async function refuse(what: string, by: string): Promise<never> {
  throw new LibcontainerError('ERR_UNSUPPORTED', `${what} cannot be honoured yet: it will be done by ${by}`)
}
