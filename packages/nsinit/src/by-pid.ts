import { ConfigInvalid, processStat } from '@libcontainer/sys'
import { openFactory } from './place.js'

/**
 * The container whose first process this is. A process that is of none of ours is nobody's to join: its namespaces say nothing of what its
 * programs may do.
 *
 * @throws {ConfigInvalid} for no pid, and for a process that is not the first one of a container
 */
export async function idOfProcess(text: string, stateRoot: string): Promise<string> {
  const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0
  if (pid === 0) throw new ConfigInvalid('--nspid', text, 'must be the pid of the first process of a container')
  const factory = await openFactory({ stateRoot })
  for (const id of await factory.list()) {
    const { init_process_pid, init_process_start } = await (await factory.load(id)).state()
    if (init_process_pid !== pid) continue
    if (String((await processStat(pid))?.startTime) === init_process_start) return id
  }
  throw new ConfigInvalid('--nspid', text, `is the first process of no container in ${stateRoot}`)
}
