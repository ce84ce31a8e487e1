import { type Invocation, isOn } from '@libcontainer/cli'
import { inImageWords, telling } from '@libcontainer/cli/checkpoint'
import { type DumpResult, parsePageServer } from '@libcontainer/criu'
import { ConfigInvalid } from '@libcontainer/sys'
import { criuConfigOf, imageOptions } from '../image-options.js'
import { loadContainer, removing } from '../place.js'

/** Saves a container that runs, and removes it then, unless it goes on. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const server = flags.get('page-server')
  const preDump = isOn(invocation, 'pre-dump')
  const leaveRunning = isOn(invocation, 'leave-running')
  const options = {
    ...(await imageOptions(invocation)),
    parentImg: flags.get('parent-path'),
    leaveRunning,
    preDump,
    tcpSkipInFlight: isOn(invocation, 'tcp-skip-in-flight') || undefined,
    statusFd: descriptorOf(flags.get('status-fd')),
    pageServer: server === undefined ? undefined : parsePageServer(server, '--page-server'),
  }
  const container = await loadContainer(invocation)
  const configFile = await criuConfigOf(container)
  const save = async (): Promise<DumpResult> => {
    const result = await inImageWords(() => container.checkpoint({ ...options, configFile }))
    // Whoever has run it in the foreground may be faster.
    if (!leaveRunning && !preDump) await removing(() => container.destroy({ force: true }))
    return result
  }
  await telling(save, options, isOn(invocation, 'json'))
  return 0
}

function descriptorOf(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const number = Number(word)
  if (!/^\d+$/.test(word) || number > 2 ** 31 - 1)
    throw new ConfigInvalid('--status-fd', word, 'must be the number of an open descriptor')
  return number
}
