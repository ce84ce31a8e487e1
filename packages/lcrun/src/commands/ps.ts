import { type Invocation, print } from '@libcontainer/cli'
import { printLine } from '../json-line.js'
import { loadContainer } from '../place.js'
import { filterProcesses, processTable } from '../process-table.js'
import { processRows, runPs } from '../processes.js'

/** Prints the processes of a container: what ps(1) says of them, or as JSON their pids alone. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  const pids = await container.processes()
  if (invocation.flags.get('format') === 'json') {
    await printLine(pids)
    return 0
  }
  const options = invocation.operands.slice(1)
  const found = await runPs(options.length === 0 ? ['-ef'] : options)
  if (found === undefined || (found.code !== 0 && options.length === 0)) {
    await print(processTable(await processRows(pids), Date.now() / 1000))
    return 0
  }
  if (found.code !== 0) return found.code
  await print(filterProcesses(found.text, pids))
  return 0
}
