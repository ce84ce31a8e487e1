import { type Invocation, isOn, print, printJson } from '@libcontainer/cli'
import { planData, planTable } from '@libcontainer/cli/plan-print'
import { checkId, plan, rootlessConfig } from '@libcontainer/container'
import { inSpecWords } from '@libcontainer/oci'
import { readBundle } from '../bundle.js'

/** Prints what `run` would do for the program of a bundle; looks at the host, and changes nothing. */
export async function run(invocation: Invocation): Promise<number> {
  const [id = 'plan'] = invocation.operands
  checkId(id)
  const { config, process } = await readBundle(invocation, id)
  const planned = await plan(id, await rootlessConfig(config), process).catch(error => {
    throw inSpecWords(error)
  })
  if (isOn(invocation, 'json')) await printJson(planData(planned))
  else await print(planTable(planned))
  return 0
}
