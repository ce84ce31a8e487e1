import { type Invocation, isOn, print, printJson } from '@libcontainer/cli'
import { planData, planTable } from '@libcontainer/cli/plan-print'
import { plan, rootlessConfig } from '@libcontainer/container'
import { configOf } from '../container-config.js'
import { openPlace } from '../place.js'
import { programOf } from '../program.js'

/** Prints what `exec` would do for the first program of the container; looks at the host, and changes nothing. */
export async function run(invocation: Invocation): Promise<number> {
  const place = await openPlace(invocation)
  const { config, process } = await configOf(place, invocation)
  const planned = await plan(place.id, await rootlessConfig(config), await programOf(invocation, process))
  if (isOn(invocation, 'json')) await printJson(planData(planned))
  else await print(planTable(planned))
  return 0
}
