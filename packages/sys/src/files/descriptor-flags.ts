import { statusField } from '../proc/status-field.js'
import { readTextIfPresent } from './files.js'

/** How a descriptor of this process was opened, as fcntl(2) has it, `O_CLOEXEC` among it; `undefined` for one that is not open. proc_pid_fdinfo(5) */
export async function descriptorFlags(fd: number): Promise<number | undefined> {
  const info = await readTextIfPresent(`/proc/self/fdinfo/${fd}`)
  return info === undefined ? undefined : Number.parseInt(statusField(info, 'flags') ?? '0', 8)
}
