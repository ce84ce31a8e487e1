import { type Invocation, warn } from '@libcontainer/cli'
import {
  inOtherWords,
  inSpecWords,
  limitsOf,
  noKernelMemory,
  noTcpMemory,
  parseResources,
  type SpecResources,
} from '@libcontainer/oci'
import { decodeUtf8, readFd, readText } from '@libcontainer/sys'
import { loadContainer } from '../place.js'
import { updatedLimits } from '../resources.js'
import { classOf, flagOf, resourcesOf } from '../update-flags.js'

/** Changes limits of a container: those that are given, and no other. */
export async function run(invocation: Invocation): Promise<number> {
  const resources = await askedFor(invocation)
  const { devices: _, ...others } = resources
  const container = await loadContainer(invocation)
  try {
    const asked = limitsOf(others, warn)
    const intelRdt = classOf(invocation.flags)
    await container.set(({ cgroups }) => ({ cgroups: updatedLimits(asked, cgroups), intelRdt }))
  } catch (error) {
    const told = inSpecWords(error)
    throw invocation.flags.has('resources') ? told : inOtherWords(told, flagOf)
  }
  return 0
}

/** What a file says, or else the flags. */
async function askedFor({ flags }: Invocation): Promise<SpecResources> {
  const file = flags.get('resources')
  if (file !== undefined) {
    return file === '-'
      ? parseResources(await readInput(), 'standard input')
      : parseResources(await readText(file), file)
  }
  if (flags.has('kernel-memory')) warn(noKernelMemory('--kernel-memory'))
  if (flags.has('kernel-memory-tcp')) warn(noTcpMemory('--kernel-memory-tcp'))
  return resourcesOf(flags)
}

/** No resources are as large as this. */
const MOST = 16 * 1024 * 1024

async function readInput(): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for (let buffer = new Uint8Array(65536); size <= MOST; buffer = new Uint8Array(65536)) {
    const got = await readFd(0, buffer)
    if (got === 0) break
    parts.push(buffer.subarray(0, got))
    size += got
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return decodeUtf8(whole)
}
