import { type AddressRange, openPidfd, readTextIfPresent, SyscallError, splitHugePages } from '@libcontainer/sys'
import { processes, treeOf } from './processes.js'

const SIZE = '/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'

/**
 * Makes ordinary pages of all huge ones of a process tree. The kernel notes what is written to by the page: of memory in huge pages, one byte in 2 MiB
 * would be all of it again in the next dump. Hypervisors do the same before they move a machine; with time khugepaged joins the pages anew.
 *
 * What cannot be split stays as it is, and is dumped again when it is written to; what several share since a fork the kernel splits then.
 */
export async function splitPagesOf(pid: number): Promise<void> {
  const size = Number(await readTextIfPresent(SIZE))
  // A kernel without them.
  if (!(size > 0)) return
  for (const each of treeOf(pid, await processes())) await unlessRefused(() => splitOne(each, size))
}

async function splitOne(pid: number, size: number): Promise<void> {
  const process = openPidfd(pid)
  try {
    for (const range of hugeRanges((await readTextIfPresent(`/proc/${pid}/smaps`)) ?? ''))
      await unlessRefused(() => splitHugePages(process, range, size))
  } finally {
    process.close()
  }
}

/** It is not worth a failure: the dump is right without it. */
async function unlessRefused(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
  }
}

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) /

/** The mappings with huge pages of memory that is no file's, by /proc/PID/smaps. Pure. */
export function hugeRanges(smaps: string): AddressRange[] {
  const found: AddressRange[] = []
  let last: AddressRange | undefined
  for (const line of smaps.split('\n')) {
    const [, start, end] = MAPPING.exec(line) ?? []
    if (start !== undefined && end !== undefined)
      last = { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }
    else if (last !== undefined && /^AnonHugePages: +[1-9]/.test(line)) found.push(last)
  }
  return found
}
