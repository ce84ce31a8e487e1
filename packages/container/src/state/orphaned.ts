import { exists, listDirectory } from '@libcontainer/sys'
import type { Factory } from '../factory.js'

/**
 * Removes the containers of programs that were killed: those called `<kind>-<pid>`, or `<kind>-<pid>-…`, where no process has this number.
 */
export async function removeOrphaned(factory: Factory, kind: string): Promise<void> {
  for (const { name } of await listDirectory(factory.root)) {
    const pid = name.startsWith(`${kind}-`) ? /^(\d+)(-|$)/.exec(name.slice(kind.length + 1))?.[1] : undefined
    if (pid !== undefined && !(await exists(`/proc/${pid}`))) await factory.remove(name)
  }
}
