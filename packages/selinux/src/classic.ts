import { getLabel, setThreadLabel } from './process.js'
import { isEnabled } from './status.js'

/* What libcontainer's `label` had, by its names: where SELinux is off, and of an empty label, nothing is done. */

/** The label of what the thread that calls executes next; `''` for that of the policy. */
export async function getProcessLabel(): Promise<string> {
  return (await getLabel('self', 'exec')) ?? ''
}

/** Gives what the thread that calls executes next a label. In a plan it is `labelStep('exec', label)`. */
export async function setProcessLabel(label: string): Promise<void> {
  if (label !== '' && (await isEnabled())) await setThreadLabel('exec', label)
}

/** Gives the files that the thread that calls makes from now on a label; an empty one takes it back. */
export async function setFileCreateLabel(label: string): Promise<void> {
  if (await isEnabled()) await setThreadLabel('fscreate', label)
}

/** The label of a process; `''` where SELinux is off. */
export async function getPidLabel(pid: number): Promise<string> {
  return (await getLabel(pid)) ?? ''
}
