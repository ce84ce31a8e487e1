import { cgroupHost } from '@libcontainer/cgroups'
import { type Invocation, isOn, warn } from '@libcontainer/cli'
import { type ContainerConfig, isUnprivileged, type ProcessSpec } from '@libcontainer/container'
import { inUserNamespace } from '@libcontainer/namespaces'
import { parseSpec, type Spec, type SystemdProperty, toContainerConfig } from '@libcontainer/oci'
import { ConfigInvalid, ids, isErrno, LibcontainerError, readText } from '@libcontainer/sys'
import { isSystemd } from './globals.js'
import { absolute } from './paths.js'

/** What a bundle asks for, with what the command line says about it. */
export interface Bundle {
  readonly config: ContainerConfig
  readonly process: ProcessSpec
  /** What its annotations ask of its unit of systemd. */
  readonly unitProperties: readonly SystemdProperty[]
}

/** Reads the bundle that a command line names, and tells what in it changes nothing. @throws {ConfigInvalid} with the place in the file */
export async function readBundle(invocation: Invocation, id: string): Promise<Bundle> {
  const { flags } = invocation
  const bundle = await absolute(flags.get('bundle') ?? '.')
  const file = flags.get('config') ?? `${bundle}/config.json`
  const spec = await specOf(file)
  const systemd = isSystemd(invocation)
  const { config, process, cgroupOwner, warnings } = toContainerConfig(spec, {
    id,
    bundle,
    cgroupDriver: systemd ? 'systemd' : 'cgroupfs',
  })
  for (const warning of warnings) warn(warning)
  const owner = await ownerOf(cgroupOwner)
  if (process === undefined)
    throw new ConfigInvalid('process', process, 'must be given: it says what runs', {
      hint: 'lcrun spec writes a whole config',
    })
  const sessionKeyring = !isOn(invocation, 'no-new-keyring')
  const cgroups = spec.linux?.cgroupsPath || systemd ? config.cgroups : await unnamed(config.cgroups)
  const unitProperties = systemd ? await propertiesOf(spec.annotations) : []
  const owned = owner === undefined ? cgroups : { ...cgroups, owner }
  const moved = isOn(invocation, 'no-pivot') ? { noPivotRoot: true } : {}
  return { config: { ...config, cgroups: owned, sessionKeyring, ...moved }, process, unitProperties }
}

async function propertiesOf(annotations: Spec['annotations']): Promise<SystemdProperty[]> {
  const { unitPropertiesOf } = await import('./unit-properties.js')
  return unitPropertiesOf(annotations)
}

/** A container that may write to its own cgroup owns it: on cgroup v2, which alone can be given away. */
async function ownerOf(uid: number | undefined): Promise<number | undefined> {
  if (!uid || (await cgroupHost()).mode !== 'v2') return undefined
  if (uid === ids().euid || !(await isUnprivileged())) return uid
  warn(`linux.cgroupsPath: the container's cgroup stays this user's, who cannot give it to uid ${uid}`)
  return undefined
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
