import { type Invocation, UsageError } from '@libcontainer/cli'
import type { SpecMount } from '@libcontainer/oci'
import { ConfigInvalid, parseJson, readText } from '@libcontainer/sys'
import { absolute } from '../paths.js'
import { load, openFactory } from '../place.js'

/** Adds the mounts of a file to a running container, or removes what is mounted where they would be. */
export async function run(invocation: Invocation): Promise<number> {
  const [what, id = '', file = ''] = invocation.operands
  if (what !== 'add' && what !== 'remove')
    throw new UsageError(`mounts add or mounts remove, not '${what}'`, 'lcrun mounts --help tells what there is')
  const mounts = mountsOf(parse(await readText(file), file), file)
  const container = await load(await openFactory(invocation), id)
  if (what === 'add') await container.addMounts(await Promise.all(mounts.map(withSource)))
  else await container.removeMounts(mounts.map(({ destination }) => destination))
  return 0
}

function parse(text: string, file: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new ConfigInvalid(file, text, `is no JSON: ${(cause as Error).message}`, { cause })
  }
}

/** A list of mounts, or an object that has one, such as a whole config.json. */
function mountsOf(value: unknown, file: string): SpecMount[] {
  const list = Array.isArray(value) ? value : (value as { mounts?: unknown } | null)?.mounts
  if (!Array.isArray(list)) throw new ConfigInvalid(file, value, 'must hold a list of mounts, or { "mounts": [...] }')
  return list.map((mount, i) => {
    if (typeof mount?.destination === 'string') return mount as SpecMount
    throw new ConfigInvalid(`mounts[${i}].destination`, mount?.destination, 'must be a path')
  })
}

/** A relative source is one of where the command is run. */
async function withSource(mount: SpecMount): Promise<SpecMount> {
  const { type = '', source, options = [] } = mount
  const bind = type === 'bind' || options.some(option => option === 'bind' || option === 'rbind')
  return bind && source ? { ...mount, source: await absolute(source) } : mount
}
