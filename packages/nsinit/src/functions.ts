import { type Invocation, isOn, print, UsageError } from '@libcontainer/cli'
import { ContainerError } from '@libcontainer/container'
import { makeDevices } from '@libcontainer/devices'
import { ConfigInvalid, notYet, openDirectory, processStat } from '@libcontainer/sys'
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
  const container = await loadContainer(invocation)
  const { init_process_pid: pid, init_process_start, config } = await container.state()
  const notRunning = new ContainerError('ContainerNotRunning', `container '${container.id}' is not running`)
  if ((await container.status()) === 'stopped') throw notRunning
  const root = await openDirectory(`/proc/${pid}/root`, { handle: true })
  try {
    // Only now: the pid may have become another's meanwhile, and with it the root.
    if (String((await processStat(pid))?.startTime) !== init_process_start) throw notRunning
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

async function ip(): Promise<number> {
  throw notYet('--func ip', '@libcontainer/netlink', {
    hint: 'a container with the program ip can show them itself: nsinit exec ip address',
  })
}
