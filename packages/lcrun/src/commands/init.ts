import { LibcontainerError } from '@libcontainer/sys'

/** The first process of a container of runc is `runc init`; here a small program of its own does that work. */
export async function run(): Promise<number> {
  throw new LibcontainerError('ERR_NOT_BY_HAND', 'init is not for use by hand: it sets nothing up, and nothing runs', {
    hint: 'lcrun run makes a container and runs a program in it',
  })
}
