import { cgroupHost } from '@libcontainer/cgroups'
import { type Invocation, isOn, print, printJson } from '@libcontainer/cli'
import { ids, uname } from '@libcontainer/sys'
import { examine } from '../doctor/checks.js'
import { report, works } from '../doctor/report.js'
import { stateRootOf } from '../state-root.js'

/** Tells what this host offers this user. Exits with 0 where containers run, else with 1. */
export async function run(invocation: Invocation): Promise<number> {
  const findings = await examine(await stateRootOf(invocation))
  const { release, machine } = uname()
  const [{ euid }, { mode }] = [ids(), await cgroupHost()]
  const fine = works(findings)
  if (isOn(invocation, 'json'))
    await printJson({ works: fine, kernel: release, machine, uid: euid, cgroups: mode, findings })
  else await print(report(`Linux ${release} (${machine}), uid ${euid}, cgroups ${mode}`, findings))
  return fine ? 0 : 1
}
