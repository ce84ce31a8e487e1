import { columns, type Invocation, isOn, print, UsageError } from '@libcontainer/cli'
import { ContainerError, type ResolvedConfig } from '@libcontainer/container'
import { makeDevices } from '@libcontainer/devices'
import { Addresses, Links, NetlinkSocket } from '@libcontainer/netlink'
import { ConfigInvalid, openDirectory, processStat, visibleLine } from '@libcontainer/sys'
import { loadContainer } from './place.js'

interface Function {
  readonly about: string
  readonly run: (invocation: Invocation) => Promise<number>
}

/** What late 2014's `exec --func` can do in a container. */
const functions: Readonly<Record<string, Function>> = {
  exec: { about: 'run a program in the container', run: () => Promise.resolve(0) },
  mknod: { about: 'make a device node in the container: PATH TYPE MAJOR MINOR', run: mknod },
  ip: { about: "list the container's network interfaces", run: ip },
}

/** `exec --list` and `exec --func NAME`, for all but `exec` itself. */
export async function runFunction(invocation: Invocation): Promise<number> {
  if (isOn(invocation, 'list')) {
    const rows = [['NAME', 'USAGE'], ...Object.entries(functions).map(([name, { about }]) => [name, about])]
    await print(rows.map(([name = '', about]) => `${name.padEnd(9)} ${about}\n`).join(''))
    return 0
  }
  const name = invocation.flags.get('func')!
  if (!Object.hasOwn(functions, name))
    throw new ConfigInvalid('--func', name, `must be one of ${Object.keys(functions).join(', ')}`)
  return await functions[name]!.run(invocation)
}

/** By the container's own root, as its first process sees it; its owner is the container's root. */
async function mknod(invocation: Invocation): Promise<number> {
  const [path, type, major, minor] = invocation.operands
  if (
    path === undefined ||
    type === undefined ||
    major === undefined ||
    minor === undefined ||
    invocation.operands.length > 4
  )
    throw new UsageError('mknod takes PATH TYPE MAJOR MINOR', 'nsinit exec --func mknod -- /dev/fuse c 10 229')
  const { pid, config, isRunning, notRunning } = await firstProcess(invocation)
  const root = await openDirectory(`/proc/${pid}/root`, { handle: true })
  try {
    // Only now: the pid may have become another's meanwhile, and with it the root.
    if (!(await isRunning())) throw notRunning
    const request = { path, type: type as 'c', major: number('MAJOR', major), minor: number('MINOR', minor) }
    await makeDevices(root, [{ ...request, uid: hostId(config.uidMappings), gid: hostId(config.gidMappings) }])
  } finally {
    root.close()
  }
  return 0
}

function number(field: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new ConfigInvalid(field, text, 'must be a number')
  return Number(text)
}

/** The container's id 0, as the host knows it. */
const hostId = (map: readonly { containerId: number; hostId: number }[] = []): number =>
  map.find(({ containerId }) => containerId === 0)?.hostId ?? 0

/** Its network as it is, whatever program it has. */
async function ip(invocation: Invocation): Promise<number> {
  if (invocation.operands.length > 0) throw new UsageError('ip takes no operands', 'nsinit exec --func ip')
  const { pid, isRunning, notRunning } = await firstProcess(invocation)
  const socket = await NetlinkSocket.open({ namespace: pid })
  try {
    if (!(await isRunning())) throw notRunning
    const [links, addresses] = await Promise.all([new Links(socket).list(), new Addresses(socket).list()])
    const rows = links.map(({ name, mtu, mac = '', flags, index }) => [
      visibleLine(name),
      String(mtu),
      mac,
      flags.join('|'),
      addresses
        .flatMap(({ link, address, prefixLength }) => (link === index ? `${address}/${prefixLength}` : []))
        .join(','),
    ])
    await print(columns([['NAME', 'MTU', 'MAC', 'FLAG', 'ADDRS'], ...rows]))
    return 0
  } finally {
    socket.close()
  }
}

/** The process that a function is about, and whether it still is what has its number. */
async function firstProcess(invocation: Invocation): Promise<FirstProcess> {
  const container = await loadContainer(invocation)
  const { init_process_pid: pid, init_process_start, config } = await container.state()
  const notRunning = new ContainerError('ContainerNotRunning', `container '${container.id}' is not running`)
  if ((await container.status()) === 'stopped') throw notRunning
  const isRunning = async (): Promise<boolean> => String((await processStat(pid))?.startTime) === init_process_start
  return { pid, config, isRunning, notRunning }
}

interface FirstProcess {
  readonly pid: number
  readonly config: ResolvedConfig
  /** To be asked when what is used of it is open. */
  readonly isRunning: () => Promise<boolean>
  readonly notRunning: ContainerError
}
