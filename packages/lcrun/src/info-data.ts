import { probe as probeCapabilities } from '@libcontainer/capabilities'
import { cgroupHost, getAllSubsystems, type Hierarchy, parseList } from '@libcontainer/cgroups'
import { OCI_VERSION } from '@libcontainer/container'
import { probe as probeNamespaces } from '@libcontainer/namespaces'
import { engine, readText, readTextIfPresent, uname } from '@libcontainer/sys'
import { version } from '#version'

/** What `info` tells: of this runtime, and of this host as this process sees it. */
export interface Info {
  readonly version: string
  readonly spec: string
  readonly engine: string
  readonly kernel: { readonly release: string; readonly version: string }
  readonly architecture: string
  readonly operatingSystem: string
  readonly cores: number
  /** In bytes. */
  readonly memory: number
  readonly cgroups: {
    readonly mode: string
    readonly mounts: readonly Pick<Hierarchy, 'version' | 'controllers' | 'mountpoint'>[]
    readonly controllers: readonly string[]
  }
  /** Whether this process may make them. */
  readonly namespaces: Readonly<Record<string, boolean>>
  /** Whether this process has them. */
  readonly capabilities: Readonly<Record<string, boolean>>
}

/** Asks the host. */
export async function readInfo(): Promise<Info> {
  const { release, version: kernelVersion, machine } = uname()
  const [host, namespaces, capabilities, processors, memory, system] = await Promise.all([
    cgroupHost(),
    probeNamespaces(),
    probeCapabilities(),
    readText('/sys/devices/system/cpu/online'),
    readText('/proc/meminfo'),
    readTextIfPresent('/etc/os-release'),
  ])
  return {
    version: version(),
    spec: OCI_VERSION,
    engine,
    kernel: { release, version: kernelVersion },
    architecture: machine,
    operatingSystem: operatingSystem(system ?? ''),
    cores: parseList(processors).length,
    memory: memoryBytes(memory),
    cgroups: {
      mode: host.mode,
      mounts: host.hierarchies.map(({ version, controllers, mountpoint }) => ({ version, controllers, mountpoint })),
      controllers: host.mode === 'none' ? [] : await getAllSubsystems(host),
    },
    namespaces: whether(namespaces),
    capabilities: whether(capabilities),
  }
}

const whether = (probe: Readonly<Record<string, { readonly available: boolean }>>): Record<string, boolean> =>
  Object.fromEntries(Object.entries(probe).map(([name, { available }]) => [name, available]))

/** The name that os-release(5) has for people. Pure. */
export function operatingSystem(text: string): string {
  const [, name = 'Linux'] = /^(?:PRETTY_NAME)=["']?(.*?)["']?$/m.exec(text) ?? []
  return name
}

/** Of /proc/meminfo, all that there is. Pure. */
export const memoryBytes = (text: string): number => Number(/^MemTotal: *(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024

const WIDTH = 28
const line = (name: string, value: string): string => `${name.padEnd(WIDTH)} ${value}`.trimEnd()
const listed = (name: string, value: string): string => line(`  ${name}`, value)

/** For people: a line each. Pure. */
export function infoText(info: Info): string {
  const { kernel, cgroups, namespaces, capabilities } = info
  return `${[
    line('Version', info.version),
    line('Specification', info.spec),
    line('Engine', info.engine),
    line('Kernel', kernel.release),
    line('Kernel version', kernel.version),
    line('Architecture', info.architecture),
    line('Operating system', info.operatingSystem),
    line('Cores', String(info.cores)),
    line('Memory', `${Math.round(info.memory / 2 ** 20)} MiB`),
    line('Cgroups', cgroups.mode),
    ...cgroups.mounts.map(({ version, controllers, mountpoint }) =>
      listed(mountpoint, `v${version}${controllers.length > 0 ? ` ${controllers.join(', ')}` : ''}`),
    ),
    line('Controllers', cgroups.controllers.join(', ')),
    line('Namespaces', ''),
    ...Object.entries(namespaces).map(([name, has]) => listed(name, has ? 'enabled' : 'not available')),
    line('Capabilities', ''),
    ...Object.entries(capabilities).map(([name, has]) => listed(name, has ? 'available' : 'not available')),
  ].join('\n')}\n`
}
