import { type Invocation, isOn, print, printJson } from '@libcontainer/cli'
import { infoText, readInfo } from '../info-data.js'

/** Prints what this runtime and this host are. */
export async function run(invocation: Invocation): Promise<number> {
  const info = await readInfo()
  if (isOn(invocation, 'json')) await printJson(info)
  else await print(infoText(info))
  return 0
}
