import { type Check, type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { keyringId } from './keyrings.js'
import { KEY_CAPABILITIES, type KeyCapability, keyCapabilities } from './support.js'

/** Whether this process may use keys and has a session keyring, and what the kernel's keys can do. */
export async function probe(): Promise<Probe<'keys' | 'session' | KeyCapability>> {
  const checks = KEY_CAPABILITIES.map((name): [KeyCapability, Check] => [name, () => look(name)])
  return await probeEach({
    keys: () => void keyCapabilities(),
    session: async () => `serial number ${await keyringId('session')}`,
    ...(Object.fromEntries(checks) as Record<KeyCapability, Check>),
  })
}

function look(name: KeyCapability): ReturnType<Check> {
  const found = keyCapabilities()
  if (found.includes(name)) return undefined
  if (found.length === 0) return unavailable('the kernel does not tell', 'Linux 5.3 does')
  return unavailable(`the kernel's keys have no ${name}`, 'it was built without, or is too old')
}
