import { ConfigInvalid, exists, ids, kernelString, processStat, readLink } from '@libcontainer/sys'

/**
 * Who has reserved something: a process, or what is at a path, such as the directory of a container's state. What it has reserved is free again when it is
 * gone. As a line of text: `process PIDNAMESPACE PID STARTTIME` or `path PATH`.
 */
export type Owner = string

/** This process, which nobody else is ever taken for. */
export async function thisProcess(): Promise<Owner> {
  const { pid } = ids()
  const start = (await processStat(pid))?.startTime ?? 0n
  return `process ${await pidNamespace()} ${pid} ${start}`
}

export function ownerAt(path: string): Owner {
  if (!kernelString(path, 'owner').startsWith('/') || path.includes('\n'))
    throw new ConfigInvalid('owner', path, 'must be an absolute path without line ends')
  return `path ${path}`
}

/** Whether an owner may still be there: one that cannot be seen from here counts as alive. */
export async function isAlive(owner: Owner): Promise<boolean> {
  const [kind, ...rest] = owner.split(' ')
  if (kind === 'path' && rest[0]?.startsWith('/')) return await exists(rest.join(' '))
  const [namespace, pid, start] = rest
  if (kind !== 'process' || start === undefined) return false
  if (namespace !== (await pidNamespace())) return true
  return (await processStat(Number(pid)))?.startTime.toString() === start
}

const pidNamespace = async (): Promise<string> => (await readLink('/proc/self/ns/pid')).replace(/\D/g, '')
