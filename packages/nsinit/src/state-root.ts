import type { Invocation } from '@libcontainer/cli'
import { defaultStateRoot } from '@libcontainer/container'

/** Where the state of containers lies: what `--root` says, else the place that this user has for it. */
export const stateRootOf = async ({ flags }: Pick<Invocation, 'flags'>): Promise<string> =>
  flags.get('root') ?? (await defaultStateRoot('nsinit', '/var/run/nsinit'))
