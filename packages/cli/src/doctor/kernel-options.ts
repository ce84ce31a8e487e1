import { type Availability, uname, unavailable } from '@libcontainer/sys'
import { readQuietly } from './read-quietly.js'

/** What a kernel is built with for containers: as its own file of options has them. */
const OPTIONS = [
  'CONFIG_NAMESPACES',
  'CONFIG_USER_NS',
  'CONFIG_PID_NS',
  'CONFIG_NET_NS',
  'CONFIG_TIME_NS',
  'CONFIG_CGROUPS',
  'CONFIG_MEMCG',
  'CONFIG_CGROUP_PIDS',
  'CONFIG_CGROUP_FREEZER',
  'CONFIG_CGROUP_BPF',
  'CONFIG_SECCOMP_FILTER',
  'CONFIG_OVERLAY_FS',
  'CONFIG_VETH',
  'CONFIG_BRIDGE',
  'CONFIG_POSIX_MQUEUE',
]

/** Those that the file of this kernel's options tells of; none where there is no such file. */
export async function kernelOptions(): Promise<Record<string, Availability>> {
  const { release } = uname()
  for (const path of [`/boot/config-${release}`, `/lib/modules/${release}/config`]) {
    const text = await readQuietly(path)
    if (text !== undefined) return optionsOf(text, path)
  }
  return {}
}

/** Pure. */
export function optionsOf(text: string, path: string): Record<string, Availability> {
  const set = new Map([...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))
  return Object.fromEntries(
    OPTIONS.map(name => {
      const value = set.get(name)
      if (value === 'y') return [name, { available: true }]
      if (value === 'm') return [name, { available: true, detail: 'as a module' }]
      return [name, unavailable(`${path} does not set it`, `boot a kernel with ${name}=y`)]
    }),
  )
}
