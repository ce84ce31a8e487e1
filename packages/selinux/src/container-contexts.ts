import { readTextIfPresent } from '@libcontainer/sys'
import { readAssignments } from './assignments.js'
import { policyRoot } from './status.js'

/** The labels that a policy has for containers. */
export interface ContainerContexts {
  /** Of an ordinary container's processes, and of its files. */
  readonly process?: string | undefined
  readonly file?: string | undefined
  /** Of files that no container writes. */
  readonly roFile?: string | undefined
  /** Of a container that is a virtual machine, and of one whose first process is a manager such as systemd. */
  readonly kvmProcess?: string | undefined
  readonly initProcess?: string | undefined
  /** All names of the file with their values. */
  readonly all: ReadonlyMap<string, string>
}

/** Reads a policy's file `contexts/lxc_contexts`. Pure. @see lxc_contexts(5) */
export function parseContainerContexts(text: string): ContainerContexts {
  const all = readAssignments(text)
  return {
    process: all.get('process'),
    file: all.get('file'),
    roFile: all.get('ro_file'),
    kvmProcess: all.get('kvm_process'),
    initProcess: all.get('init_process'),
    all,
  }
}

/**
 * The labels for containers of the policy that is installed; none where there is no policy, or it has no such file.
 *
 * @param path - Default: `contexts/lxc_contexts` of the policy that /etc/selinux/config names
 */
export async function containerContexts(path?: string): Promise<ContainerContexts> {
  const root = path === undefined ? await policyRoot() : undefined
  const file = path ?? (root === undefined ? undefined : `${root}/contexts/lxc_contexts`)
  return parseContainerContexts((file && (await readTextIfPresent(file))) || '')
}
