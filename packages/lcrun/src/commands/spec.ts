import { cgroupHost } from '@libcontainer/cgroups'
import { type Invocation, isOn } from '@libcontainer/cli'
import { exampleSpec, toRootless } from '@libcontainer/oci'
import { ConfigInvalid, ids, isErrno, O_CREAT, O_EXCL, O_WRONLY, stringifyJson, writeText } from '@libcontainer/sys'

/** Writes a config to start from; never over one that is there. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const directory = flags.get('bundle') ?? '.'
  const file = flags.get('file') ?? 'config.json'
  const path = file.startsWith('/') ? file : `${directory}/${file}`
  const { euid, egid } = ids()
  const example = exampleSpec({ cgroup2: (await cgroupHost()).mode === 'v2' })
  const spec = isOn(invocation, 'rootless') ? toRootless(example, { uid: euid, gid: egid }) : example
  try {
    await writeText(path, `${stringifyJson(spec, '\t')}\n`, { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o666 })
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw cause
    throw new ConfigInvalid('spec', path, 'exists already, and nothing is written over it: remove it first', { cause })
  }
  return 0
}
