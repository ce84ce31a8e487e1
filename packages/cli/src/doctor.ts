import { cgroupHost } from '@libcontainer/cgroups'
import { ids, uname } from '@libcontainer/sys'
import { examine } from './doctor/checks.js'
import { report, works } from './doctor/report.js'
import { print, printJson } from './output.js'

export type { Finding } from './doctor/checks.js'
export { optionsOf } from './doctor/kernel-options.js'

/** How a host is to be examined. */
export interface DoctorRequest {
  /** What was run, to be run again when something is mended: `nsinit doctor`. */
  readonly command: string
  /** Where a container is made, to see whether that works. */
  readonly stateRoot: string
  /** Prints data in place of lines for people. */
  readonly json: boolean
}

/** Tells what this host offers this user. Answers 0 where containers run, else 1. */
export async function runDoctor({ command, stateRoot, json }: DoctorRequest): Promise<number> {
  const findings = await examine(command, stateRoot)
  const { release, machine } = uname()
  const [{ euid }, { mode }] = [ids(), await cgroupHost()]
  const fine = works(findings)
  if (json) await printJson({ works: fine, kernel: release, machine, uid: euid, cgroups: mode, findings })
  else await print(report(`Linux ${release} (${machine}), uid ${euid}, cgroups ${mode}`, findings))
  return fine ? 0 : 1
}
