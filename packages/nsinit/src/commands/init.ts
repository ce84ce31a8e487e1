import { LibcontainerError } from '@libcontainer/sys'

/** In 2014 and 2015 a container's first process began as `nsinit init`; now a small program of its own does that work. */
export async function run(): Promise<number> {
  throw new LibcontainerError('ERR_NOT_BY_HAND', 'init is not for use by hand: it sets nothing up, and nothing runs', {
    hint: 'nsinit exec makes a container and runs a program in it',
  })
}
