import { type Invocation, warn } from '@libcontainer/cli'
import { attend } from '@libcontainer/cli/foreground'
import { makeShell, openShellFactory, shellLimits } from '@libcontainer/cli/shell'
import { isTerminal } from '@libcontainer/console'
import { DEFAULT_PATH, type ProcessDefaults, removeOrphaned } from '@libcontainer/container'
import { environment, exists } from '@libcontainer/sys'
import { launch } from '../launch.js'
import { stateRootOf } from '../state-root.js'

const KIND = 'shell'

/**
 * Runs a shell, or another program of the host, in a container on the host's own /usr, and removes it all at the end: nothing of the host
 * can be written to, nothing but programs is seen of it, and no privilege is to be had.
 */
export async function run(invocation: Invocation): Promise<number> {
  const factory = await openShellFactory(await stateRootOf(invocation))
  await removeOrphaned(factory, KIND)
  const { cgroups, warnings } = await shellLimits(commandOf(invocation))
  for (const warning of warnings) warn(warning)
  const container = await makeShell(factory, KIND, { cgroups, hostname: 'nsinit' })
  try {
    return await attend(await launch(container, invocation, await defaults()))
  } finally {
    await factory.remove(container.id)
  }
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
  const words = operands.map(word => (/^[\w./=:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return ['nsinit', 'shell', ...words].join(' ')
}
