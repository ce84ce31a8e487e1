import { type Invocation, UsageError } from '@libcontainer/cli'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { LibcontainerError, parseJson } from '@libcontainer/sys'
import { type ContainerJson, readContainer } from '../container-json.js'
import { launch } from '../launch.js'
import { openFactory, openPlace } from '../place.js'
import { loadRecord } from '../record.js'

/**
 * Joins a container by its first process, as `exec` of 2014 had itself done. What the container is comes from what was saved at its start;
 * the config on the command line says only as whom, where and with what the program runs.
 */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands } = invocation
  if (!flags.has('nspid'))
    throw new UsageError('nsenter needs --nspid: the first process of the container', 'nsinit nsenter --help')
  const place = await openPlace(invocation)
  const given = processOf(flags.get('containerjson'), place.path)
  const container = await (await openFactory(place)).load(place.id)
  const defaults = given ?? (await loadRecord(place))?.process ?? {}
  const args = operands.length > 0 ? operands : ['/bin/bash']
  const session = await launch(container, { ...invocation, operands: args }, defaults)
  await becomeWaiter(session, { program: 'nsinit' })
  return await attend(session)
}

function processOf(text: string | undefined, base: string): ContainerJson['process'] | undefined {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    throw new LibcontainerError('ConfigInvalid', '--containerjson: is not JSON', { cause })
  }
  return readContainer(value, { name: '--containerjson', base }).process
}
