import { prepare } from '@libcontainer/container'
import { args, exit } from '@libcontainer/sys'
import { run } from '../main.js'

// Modules are evaluated once, when the executable is built.
prepare()

/** Called at each start. */
export default async function main(): Promise<never> {
  exit(await run(args))
}
