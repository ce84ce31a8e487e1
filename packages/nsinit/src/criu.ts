import type { Invocation } from '@libcontainer/cli'
import { ConfigInvalid, notYet } from '@libcontainer/sys'

/** `checkpoint` and `restore`: what is wrong with the command line first, then that there is no CRIU yet. */
export async function refuseCriu(name: string, { flags }: Invocation): Promise<never> {
  const images = flags.get('image-path')
  if (!images) throw new ConfigInvalid('--image-path', images, 'must name the directory of the image')
  const server = flags.get('page-server')
  if (server !== undefined && !/^.+:\d{1,5}$/.test(server))
    throw new ConfigInvalid('--page-server', server, 'must be ADDR:PORT')
  throw notYet(name, '@libcontainer/criu')
}
