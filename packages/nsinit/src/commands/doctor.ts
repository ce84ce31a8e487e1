import { type Invocation, isOn } from '@libcontainer/cli'
import { runDoctor } from '@libcontainer/cli/doctor'
import { stateRootOf } from '../state-root.js'

/** Tells what this host offers this user. Exits with 0 where containers run, else with 1. */
export async function run(invocation: Invocation): Promise<number> {
  return await runDoctor({
    command: 'nsinit doctor',
    stateRoot: await stateRootOf(invocation),
    json: isOn(invocation, 'json'),
  })
}
