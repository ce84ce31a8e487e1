import { ConfigInvalid, checked, LibcontainerError, readText, statusField } from '@libcontainer/sys'
import { type CapabilityMasks, mapSets, type SetName } from './masks.js'
import { capabilityName } from './names.js'
import { native } from './native.js'
import { formatSecureBits, type SecureBit } from './secure-bits.js'

const LAST_CAP = '/proc/sys/kernel/cap_last_cap'

const FIELDS: Readonly<Record<SetName, string>> = {
  bounding: 'CapBnd',
  effective: 'CapEff',
  inheritable: 'CapInh',
  permitted: 'CapPrm',
  ambient: 'CapAmb',
}

/** The number of the highest capability of the running kernel: 40 for Linux 5.9 to 6.x. */
export async function lastCap(): Promise<number> {
  return Number(await readText(LAST_CAP))
}

/** The capabilities of the running kernel, in its order. One newer than this package goes by its number: `CAP_41`. */
export async function supported(): Promise<string[]> {
  return Array.from({ length: (await lastCap()) + 1 }, (_, number) => capabilityName(number))
}

/**
 * The five sets of a process, as /proc/PID/status shows them for its main thread.
 *
 * @param pid - a process id in the caller's pid namespace, or `self`
 * @throws {SyscallError} `ENOENT` when there is no such process
 */
export async function getProcess(pid: number | 'self' = 'self'): Promise<CapabilityMasks> {
  if (pid !== 'self' && (!Number.isSafeInteger(pid) || pid < 1)) {
    throw new ConfigInvalid('pid', pid, 'must be a process id, or "self"')
  }
  return parseStatus(await readText(`/proc/${pid}/status`))
}

/** The five sets in the text of a /proc/PID/status. */
export function parseStatus(text: string): CapabilityMasks {
  return mapSets(set => {
    const hex = statusField(text, FIELDS[set])
    if (hex === undefined || !/^[0-9a-f]{1,16}$/.test(hex))
      throw new LibcontainerError('SystemError', `the status of the process has no line ${FIELDS[set]}`)
    return BigInt(`0x${hex}`)
  })
}

/** The secure bits of the calling process, which what it starts inherits. */
export function getSecureBits(): SecureBit[] {
  return formatSecureBits(checked(native.sync.getSecureBits(), 'prctl'))
}
