import { type Invocation, warn } from '@libcontainer/cli'
import type { SpecResources } from '@libcontainer/oci'
import { decodeUtf8, readFd, readText } from '@libcontainer/sys'
import { loadContainer } from '../place.js'
import { updatedLimits } from '../resources.js'
import { resourcesOf } from '../update-flags.js'

/** Changes limits of a container: those that are given, and no other. */
export async function run(invocation: Invocation): Promise<number> {
  const [{ limitsOf }, resources] = await Promise.all([import('@libcontainer/oci'), askedFor(invocation)])
  const { memory: { checkBeforeUpdate, ...memory } = {}, devices: _, ...others } = resources
  const asked = limitsOf({ ...others, memory }, warn)
  const container = await loadContainer(invocation)
  const change = { refuseBelowUse: checkBeforeUpdate === true }
  await container.set(({ cgroups }) => ({ cgroups: updatedLimits(asked, cgroups) }), change)
  return 0
}

/** What a file says, or else the flags. */
async function askedFor({ flags }: Invocation): Promise<SpecResources> {
  const file = flags.get('resources')
  if (file) {
    const { parseResources } = await import('@libcontainer/oci')
    return file === '-'
      ? parseResources(await readInput(), 'standard input')
      : parseResources(await readText(file), file)
  }
  const { noKernelMemory, noTcpMemory } = await import('@libcontainer/oci')
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
