import { cgroupHost } from '@libcontainer/cgroups'
import { type Invocation, isOn, warn } from '@libcontainer/cli'
import { type ContainerConfig, isUnprivileged, type ProcessSpec } from '@libcontainer/container'
import { inUserNamespace } from '@libcontainer/namespaces'
import { parseSpec, toContainerConfig } from '@libcontainer/oci'
import { ConfigInvalid, isErrno, LibcontainerError, readText } from '@libcontainer/sys'
import { absolute } from './paths.js'

/** What a bundle asks for, with what the command line says about it. */
export interface Bundle {
  readonly config: ContainerConfig
  readonly process: ProcessSpec
}

/** Reads the bundle that a command line names, and tells what in it changes nothing. @throws {ConfigInvalid} with the place in the file */
export async function readBundle(invocation: Invocation, id: string): Promise<Bundle> {
  const { flags } = invocation
  if (isOn(invocation, 'no-pivot')) refuseNoPivot()
  const bundle = await absolute(flags.get('bundle') ?? '.')
  const file = flags.get('config') ?? `${bundle}/config.json`
  const spec = await specOf(file)
  const { config, process, cgroupOwner, warnings } = toContainerConfig(spec, { id, bundle })
  for (const warning of warnings) warn(warning)
  await tellOwner(cgroupOwner)
  if (process === undefined)
    throw new ConfigInvalid('process', process, 'must be given: it says what runs', {
      hint: 'lcrun spec writes a whole config',
    })
  const sessionKeyring = !isOn(invocation, 'no-new-keyring')
  const cgroups = spec.linux?.cgroupsPath ? config.cgroups : await unnamed(config.cgroups)
  return { config: { ...config, cgroups, sessionKeyring }, process }
}

/** A container that may change its own cgroup should own it: on cgroup v2, and not in this version. */
async function tellOwner(uid: number | undefined): Promise<void> {
  if (!uid || (await cgroupHost()).mode !== 'v2') return
  warn(`linux.cgroupsPath: the container's cgroup stays root's, and is not given to uid ${uid}`)
}

/** Who may not write to the host's cgroups, and names none, has the one that was delegated, or none at all. */
async function unnamed(cgroups: ContainerConfig['cgroups']): Promise<ContainerConfig['cgroups']> {
  return (await isUnprivileged()) || (await inUserNamespace()) ? { ...cgroups, path: undefined } : cgroups
}

async function specOf(file: string): Promise<ReturnType<typeof parseSpec>> {
  try {
    return parseSpec(await readText(file), file.slice(file.lastIndexOf('/') + 1))
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new LibcontainerError('ENOENT', `${file}: no such file or directory`, {
      cause: error,
      hint: 'run it in the directory of a bundle or name one: --bundle DIR; lcrun spec writes a config',
    })
  }
}

function refuseNoPivot(): never {
  throw new LibcontainerError(
    'ERR_UNSUPPORTED',
    '--no-pivot cannot be honoured: a root that is moved, not pivoted, can be left from inside',
    { hint: 'put the root filesystem on a file system of its own, such as a tmpfs, in place of the ramdisk' },
  )
}
