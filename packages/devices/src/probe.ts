import {
  type Availability,
  type Probe,
  probeCapability,
  probeEach,
  readText,
  stat,
  unavailable,
} from '@libcontainer/sys'
import { DEFAULT_SIMPLE_DEVICES } from './defaults.js'

const CAP_MKNOD = 27

/** Whether this process may make device nodes (`mknod`), and which standard ones the host has: where it may not, they are bound. */
export async function probe(): Promise<Probe> {
  const nodes = DEFAULT_SIMPLE_DEVICES.map(({ path }) => [path, () => node(path)] as const)
  return await probeEach({ mknod, ...Object.fromEntries(nodes) })
}

async function mknod(): Promise<Availability> {
  const capability = await probeCapability('CAP_MKNOD', CAP_MKNOD)
  if (!capability.available) return capability
  // The kernel asks for the capability in the first user namespace, whose map is of all ids to themselves.
  const map = (await readText('/proc/self/uid_map')).trim().split(/\s+/)
  if (map.join(' ') === '0 0 4294967295') return capability
  return unavailable(
    'this process is in a user namespace, where no device can be made',
    'devices of the host are bound',
  )
}

async function node(path: string): Promise<Availability> {
  const { type } = await stat(path)
  return type === 'character' ? { available: true } : unavailable(`${path} is no character device`)
}
