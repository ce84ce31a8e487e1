import type { Invocation } from '@libcontainer/cli'
import { defaultReadonlyPaths } from '@libcontainer/container'
import { ConfigInvalid, LibcontainerError } from '@libcontainer/sys'
import { applyFlags } from './apply-flags.js'
import {
  absolute,
  CONFIG_FILE,
  type ConfigFile,
  type ContainerJson,
  isAbsent,
  readContainerJson,
  workingDirectory,
} from './container-json.js'
import { saysConfig } from './create-flags.js'
import { DEFAULT_ID, nameOf, type Place } from './place.js'
import { template } from './template.js'

/**
 * The config of a container that is to be made: of `--config`, or of container.json of the directory where none is named, or 2015's template;
 * changed by the flags.
 *
 * @throws {LibcontainerError} `ConfigInvalid`
 */
export async function configOf(place: Place, invocation: Invocation): Promise<ContainerJson> {
  const applied = applyFlags(await baseConfig(place, invocation), invocation)
  const rootfs = invocation.flags.get('rootfs')
  // What the command line says is relative to where it was said.
  const said = rootfs === undefined ? applied.config.rootfs : absolute(rootfs, await workingDirectory())
  return { ...applied, config: guarded({ ...applied.config, rootfs: said }, place) }
}

async function baseConfig(place: Place, invocation: Invocation): Promise<ContainerJson> {
  const file = invocation.flags.get('config')
  if (file !== undefined) return await readNamed(file, place)
  if (place.named) return templateOf(place)
  try {
    return await readContainerJson(fileOf(place))
  } catch (error) {
    if (!isAbsent(error)) throw error
    if (saysConfig(invocation)) return templateOf(place)
    throw new LibcontainerError('ConfigInvalid', `there is no ${CONFIG_FILE} in ${place.path}`, {
      cause: error,
      hint: `nsinit config --rootfs DIR --file ${CONFIG_FILE} makes one; --rootfs DIR does without`,
    })
  }
}

async function readNamed(path: string, place: Place): Promise<ContainerJson> {
  try {
    return await readContainerJson({ path, name: path, base: place.path })
  } catch (error) {
    if (isAbsent(error)) throw new ConfigInvalid('--config', path, 'must be a file that exists', { cause: error })
    throw error
  }
}

/** container.json of a directory. */
export const fileOf = ({ directory, path }: Place): ConfigFile => ({
  path: CONFIG_FILE,
  at: directory,
  name: `${path}/${CONFIG_FILE}`,
  base: path,
})

/** 2015's template. The cgroup of the container `nsinit` has the directory's name, as ever; those of others their ids, too. */
export function templateOf({ path, id, named }: Place): ContainerJson {
  const name = nameOf(path)
  const further = named ? `${name}-${id}` : id
  const cgroup = id === DEFAULT_ID ? name : further
  return template(path, cgroup)
}

/**
 * Where the directory itself is the root filesystem the container sees its own container.json, which the next `exec` obeys: it may read it,
 * but neither write nor replace it.
 */
function guarded(config: ContainerJson['config'], { path, named }: Place): ContainerJson['config'] {
  const ownMounts =
    config.namespaces === undefined ||
    config.namespaces.some(each => (typeof each === 'string' ? each : each.kind) === 'mnt')
  if (named || config.rootfs !== path || !ownMounts) return config
  return { ...config, readonlyPaths: [...(config.readonlyPaths ?? defaultReadonlyPaths), `/${CONFIG_FILE}`] }
}
