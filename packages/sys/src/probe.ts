import { uname } from './files/files.js'
import { inspectInode } from './files/inode.js'
import { native } from './native.js'
import { kernelAtLeast } from './proc/kernel-version.js'
import { Procfs } from './proc/procfs.js'
import {
  type Availability,
  landlockVersion,
  type Probe,
  type ProbedCall,
  probeCall,
  probeEach,
  unavailable,
} from './process/abilities.js'

/** The oldest kernel that the packages are made for. */
const OLDEST = '5.10'

const calls = [
  'clone3',
  'close_range',
  'fsopen',
  'openat2',
  'pidfd_getfd',
  'pidfd_open',
] as const satisfies readonly ProbedCall[]

/** What this host offers this process of what all packages need. */
export async function probe(): Promise<
  Probe<'kernel' | 'freshProcfs' | 'landlock' | 'sealedPrograms' | (typeof calls)[number]>
> {
  const byCall = Object.fromEntries(calls.map(name => [name, () => probeCall(name)])) as Record<
    (typeof calls)[number],
    () => Availability
  >
  return await probeEach({ ...byCall, kernel, freshProcfs, landlock, sealedPrograms })
}

function landlock(): Availability {
  const version = landlockVersion()
  if (version > 0) return { available: true, detail: `version ${version} of its ABI` }
  const call = probeCall('landlock_create_ruleset')
  return call.available ? unavailable('the kernel has Landlock switched off', 'boot with lsm=landlock,…') : call
}

function kernel(): Availability {
  const { release } = uname()
  if (kernelAtLeast(OLDEST, release)) return { available: true, detail: `Linux ${release}` }
  return unavailable(`this is Linux ${release}`, `Linux ${OLDEST} is the oldest that is supported`)
}

/** Whether files of /proc are reached beside whatever was mounted over it. */
async function freshProcfs(): Promise<Availability> {
  const fresh = probeCall('fsopen')
  if (!fresh.available) return fresh
  const procfs = await Procfs.open()
  try {
    const file = await procfs.self('stat')
    await inspectInode(file)
    file.close()
    return { available: true }
  } finally {
    procfs.close()
  }
}

/** Programs run from sealed memory, out of reach of what they start: memfd_create(2). */
function sealedPrograms(): Availability | string | undefined {
  const fd = native.sync.programFd(new Uint8Array([0]), 'probe')
  if (fd < 0) return unavailable(`memfd_create is refused: errno ${-fd}`)
  native.sync.close(fd)
  return undefined
}
