import type { MadePair } from './made.js'
import { planAttach, planDetach } from './plan.js'
import { applyPort } from './port.js'
import { Side } from './side.js'
import type { Network } from './types.js'

/**
 * Takes a container that runs off its bridges, or puts it back on them, as is done around a checkpoint. Once more is fine.
 *
 * @param pairs - of its record, in the order of its networks of type `veth`
 */
export async function setAttached(
  networks: readonly Network[],
  pairs: readonly MadePair[],
  attached: boolean,
): Promise<void> {
  let next = 0
  const chosen = networks.map(({ type }) => ({
    name: '',
    hostName: '',
    hostMac: '',
    ...(type === 'veth' ? pairs[next++] : {}),
  }))
  const acts = (attached ? planAttach : planDetach)(networks, chosen)
  if (acts.length === 0) return
  const host = await Side.open()
  try {
    for (const act of acts) if (act.act === 'port') await applyPort(host, act)
  } finally {
    host.close()
  }
}
