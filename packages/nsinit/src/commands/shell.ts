import { isTerminal } from '@libcontainer/console'
import { type ContainerConfig, DEFAULT_PATH, Factory, type ProcessDefaults, validate } from '@libcontainer/container'
import { environment, exists, ids, listDirectory, openDirectory, readLink } from '@libcontainer/sys'
import { attend } from '../attend.js'
import type { Invocation } from '../command-line.js'
import { launch } from '../launch.js'
import { debug, warn } from '../log.js'
import { shellLimits } from '../shell/limits.js'
import { makeShellRoot, type ShellRoot, shellRoot } from '../shell/rootfs.js'
import { defaultStateRoot } from '../state-root.js'

const PREFIX = 'shell-'

/** Runs a shell, or another program of the host, in a container on the host's own /usr, and removes it all at the end. */
export async function run(invocation: Invocation): Promise<number> {
  const stateRoot = invocation.flags.get('root') ?? (await defaultStateRoot())
  const factory = await Factory.open(stateRoot, {
    warn,
    // Its root filesystem is made in the directory of the container's own state, which comes later, and goes with it.
    validator: config => validate({ ...config, rootfs: '/' }),
  })
  await sweep(factory)
  const id = `${PREFIX}${ids().pid}`
  const rootfs = `${await realPath(factory.root)}/${id}/root`
  const [root, { cgroups, warnings }] = await Promise.all([shellRoot(), shellLimits(commandOf(invocation))])
  for (const warning of warnings) warn(warning)
  const container = await factory.create(id, configOf(rootfs, root, cgroups))
  debug(`makes container '${id}' on ${rootfs}`)
  try {
    await makeShellRoot(rootfs, root)
    return await attend(await launch(container, invocation, await defaults()))
  } finally {
    await factory.remove(id)
  }
}

/** Nothing but the programs is the host's, nothing of it can be written to, and no privilege is to be had. */
function configOf(
  rootfs: string,
  { mounts }: ShellRoot,
  cgroups: NonNullable<ContainerConfig['cgroups']>,
): ContainerConfig {
  return {
    rootfs,
    readonlyRootfs: true,
    mounts: ids().euid === 0 ? mounts : mounts.map(withoutGroup),
    hostname: 'nsinit',
    cgroups,
    noNewPrivileges: true,
    parentDeathSignal: 'SIGKILL',
  }
}

/** The group of terminals need not be mapped. */
function withoutGroup<M extends { readonly options?: readonly string[] | undefined }>(mount: M): M {
  return mount.options === undefined
    ? mount
    : { ...mount, options: mount.options.filter(option => !option.startsWith('gid=')) }
}

async function defaults(): Promise<ProcessDefaults> {
  const language = environment.LANG
  return {
    args: [(await exists('/bin/bash')) ? '/bin/bash' : '/bin/sh'],
    env: [`PATH=${DEFAULT_PATH}`, 'HOME=/tmp', ...(language ? [`LANG=${language}`] : [])],
    user: { uid: 0, gid: 0 },
    terminal: isTerminal(0) && isTerminal(1),
  }
}

/** As it can be run again. */
function commandOf({ operands }: Invocation): string {
  return ['nsinit', 'shell', ...operands.map(word => (/^[\w./=:-]+$/.test(word) ? word : `'${word}'`))].join(' ')
}

/** What shells have left that were killed: those of no living process. */
async function sweep(factory: Factory): Promise<void> {
  for (const { name } of await listDirectory(factory.root)) {
    const pid = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : ''
    if (/^\d+$/.test(pid) && !(await exists(`/proc/${pid}`))) await factory.remove(name)
  }
}

/** Without links: /var/run is one, mostly. */
async function realPath(path: string): Promise<string> {
  const directory = await openDirectory(path, { handle: true })
  try {
    return await readLink(`/proc/self/fd/${directory.fd}`)
  } finally {
    directory.close()
  }
}
