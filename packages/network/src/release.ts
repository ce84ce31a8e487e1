import { isErrno, type OwnedFd } from '@libcontainer/sys'
import { findPair } from './find-pair.js'
import { endHelper } from './helper.js'
import type { MadeNetworks, MadePair } from './made.js'
import { giveBack, isOnHost } from './net-devices.js'
import { identityOf, openOwnNamespace } from './own-namespace.js'
import { Side } from './side.js'

export interface ReleaseOptions {
  /** Opens the container's namespace by the path that was recorded; `undefined` where it is gone. */
  readonly open: (path: string) => Promise<OwnedFd | undefined>
  /** Told of what could not be taken back. */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * Takes away what was made for the networks of a container that has ended, and gives back what was lent; what is gone is fine, and so is once more. What
 * cannot be done is told to `warn`: no container becomes one that cannot be removed for its network.
 */
export async function releaseNetworks(made: MadeNetworks, { open, warn = () => {} }: ReleaseOptions): Promise<void> {
  const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act()
    } catch (error) {
      warn(`${what}: ${(error as Error).message}`)
    }
  }
  for (const helper of made.helpers) await attempt(`${helper.program} may go on`, () => endHelper(helper))
  const lent = made.lent.filter(device => device.giveBack)
  if (made.pairs.length + made.inside.length + lent.length === 0) return
  await attempt('the networks of the container are not taken away', async () => {
    const host = await Side.open()
    try {
      for (const pair of made.pairs) await attempt(`${pair.hostName} may be left`, () => deletePair(host, pair))
      if (made.inside.length + lent.length > 0)
        await attempt('what is in the container stays there', () => releaseInside(host, { ...made, lent }, open, warn))
    } finally {
      host.close()
    }
  })
}

async function releaseInside(
  host: Side,
  { lent, inside, path, host: home, container: identity }: MadeNetworks,
  open: ReleaseOptions['open'],
  warn: (message: string) => void,
): Promise<void> {
  const namespace = path === undefined ? undefined : await open(path)
  if (namespace === undefined) {
    for (const device of lent)
      if (!(await isOnHost(host, device)))
        warn(`${device.name} is not given back: the namespace of the container is gone`)
    return
  }
  const own = await openOwnNamespace()
  try {
    // Another one may have the path by now; and whoever removes may live in another than whoever started.
    if ((await identityOf(namespace)) !== identity)
      return warn(`${path} is another network namespace by now: nothing is done in it`)
    if (lent.length > 0 && (await identityOf(own)) !== home)
      return warn('devices are given back by a process of the network namespace that they are of')
    const container = await Side.open(namespace)
    try {
      for (const { index, kind } of inside) {
        const link = await container.links.find(index)
        if (link?.kind === kind) await ifPresent(container.links.delete(index))
      }
      for (const device of lent)
        if (!(await isOnHost(host, device))) await giveBack({ host, container }, device, own, warn)
    } finally {
      container.close()
    }
  } finally {
    own.close()
    namespace.close()
  }
}

/** Deletes a pair by its end on the host, whatever that is called now. One that is gone, or never was, is fine. */
export async function deletePair(host: Side, pair: MadePair): Promise<void> {
  const link = await findPair(host, pair)
  if (link !== undefined) await ifPresent(host.links.delete(link.index))
}

/** Waits for a deletion; that somebody was faster is fine. */
export async function ifPresent(deletion: Promise<void>): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!isErrno(error, 'ENODEV')) throw error
  }
}
