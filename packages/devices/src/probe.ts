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
import { type HostDrivers, hostDrivers } from './drivers.js'
import { NAMED_DEVICES } from './named.js'

const CAP_MKNOD = 27

/** Devices that containers ask for, and whose drivers a kernel may lack. */
const ASKED_FOR = ['fuse', 'tun', 'kvm'] as const

/**
 * Whether this process may make device nodes (`mknod`), which standard ones the host has (where it may not, they are bound), and which of
 * `fuse`, `tun` and `kvm` the kernel has a driver for.
 */
export async function probe(): Promise<Probe> {
  const nodes = DEFAULT_SIMPLE_DEVICES.map(({ path }) => [path, () => node(path)] as const)
  const drivers = hostDrivers()
  drivers.catch(() => {})
  const named = ASKED_FOR.map(name => [name, async () => driver(name, await drivers)] as const)
  return await probeEach({ mknod, ...Object.fromEntries([...nodes, ...named]) })
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

function driver(name: (typeof ASKED_FOR)[number], { misc }: HostDrivers): Availability {
  const { major, minor } = NAMED_DEVICES[name]
  if (misc.has(minor)) return { available: true }
  return unavailable(`no driver of this kernel has the device ${major}:${minor}`, `load its module: modprobe ${name}`)
}

async function node(path: string): Promise<Availability> {
  const { type } = await stat(path)
  return type === 'character' ? { available: true } : unavailable(`${path} is no character device`)
}
