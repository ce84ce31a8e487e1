import { checkRootOverlay, cleanPath } from '@libcontainer/mount'
import { checkNamespaces, type Namespace, type NamespaceKind, namespacePath } from '@libcontainer/namespaces'
import { ConfigInvalid, readLink, SyscallError, stat } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { namespacesOf, networkNamespace } from '../config/namespace-requests.js'
import { configCopy } from '../config/plain-copy.js'
import { isUnprivileged, withRootlessDefaults } from '../config/rootless.js'
import { classProblem, classWordsProblem } from '../intelrdt/class.js'
import { networkProblems, privilegeProblems } from '../network/network.js'
import { confinementProblems } from '../plan/confinement.js'
import { asksSeldom } from '../plan/mounts.js'
import { problemOf } from './apart.js'
import { mountIdProblems, rootlessProblems } from './rootless.js'
import { checkName, validateShape } from './shape.js'
import { sysctlProblems } from './sysctl.js'

/**
 * Everything that is wrong with a config, in the order of its fields; empty when it can be used.
 *
 * Looks at the rootfs and at the kernel's abilities; changes nothing.
 */
export async function validate(request: ContainerConfig): Promise<ConfigInvalid[]> {
  const copy = copyOrProblem(request)
  if (copy instanceof ConfigInvalid) return [copy]
  const config = await withRootlessDefaults(copy)
  const problems = await withSeldom(config, validateShape(config))
  const found = isSound(problems, 'config', 'rootfs') ? await rootfsProblem(config) : undefined
  const given = isSound(problems, 'config', 'intelRdt') ? config.intelRdt : undefined
  const lacking = await classProblem(given)
  return await withNamespaces(config, [...problems, ...[found, lacking].filter(problem => problem !== undefined)])
}

function copyOrProblem(request: ContainerConfig): ContainerConfig | ConfigInvalid {
  try {
    return configCopy(request)
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error
  }
}

/** All but a look at the rootfs and at resctrl, for who takes that look elsewhere. @param given - a copy of the caller's, by `configCopy` */
export async function validateBesideRootfs(given: ContainerConfig): Promise<ConfigInvalid[]> {
  const config = await withRootlessDefaults(given)
  return await withNamespaces(config, await withSeldom(config, validateShape(config)))
}

/** What few containers ask for: what looks at it is loaded then. */
async function withSeldom(
  config: ContainerConfig,
  problems: readonly ConfigInvalid[],
): Promise<readonly ConfigInvalid[]> {
  if (!isSound(problems, 'config')) return problems
  const words = await classWordsProblem(config)
  const confinement = isSound(problems, 'apparmorProfile', 'selinuxLabel', 'mountLabel')
    ? await confinementProblems({ ...config, mounts: isSound(problems, 'mounts') ? config.mounts : undefined })
    : []
  const seldom = asksSeldom(config)
    ? (await import('../plan/seldom.js')).seldomProblems({
        ...config,
        capabilities: isSound(problems, 'capabilities') ? config.capabilities : [],
        sysctl: isSound(problems, 'sysctl') ? config.sysctl : undefined,
      })
    : []
  return [...problems, ...(words === undefined ? [] : [words]), ...confinement, ...seldom]
}

const isSound = (problems: readonly ConfigInvalid[], ...parts: string[]): boolean =>
  !problems.some(({ field }) => parts.some(part => field.startsWith(part)))

async function withNamespaces(config: ContainerConfig, problems: readonly ConfigInvalid[]): Promise<ConfigInvalid[]> {
  const layers = isSound(problems, 'config', 'rootfs', 'rootOverlay') ? await layerProblems(config) : []
  return await withNamespaceProblems(config, [...problems, ...layers])
}

async function withNamespaceProblems(
  config: ContainerConfig,
  problems: readonly ConfigInvalid[],
): Promise<ConfigInvalid[]> {
  if (!isSound(problems, 'config', 'namespaces', 'networks', 'uidMappings', 'gidMappings', 'timeOffsets'))
    return [...problems]
  try {
    const namespaces = namespacesOf(config)
    await checkNamespaces({ ...config, namespaces })
    const ofNetworks = await networkProblems(config, networkNamespace(namespaces))
    const all = [...problems, ...ofNetworks]
    if (ofNetworks.length > 0 || !isSound(problems, 'hostname', 'domainname', 'sysctl')) return all
    const ofIds = isSound(problems, 'mounts') ? await idProblems(config, namespaces) : []
    return [...all, ...(await sharedProblems(config, namespaces)), ...ofIds]
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return [...problems, error]
  }
}

/** What a user namespace does not have, or somebody without privileges cannot do without one. */
async function idProblems(config: ContainerConfig, namespaces: readonly Namespace[]): Promise<ConfigInvalid[]> {
  const own = namespaces.some(({ kind, path }) => kind === 'user' && path === undefined)
  const rootless = (await isUnprivileged())
    ? [...rootlessProblems(config, namespaces), ...(await privilegeProblems(config))]
    : []
  return own ? [...rootless, ...mountIdProblems(config)] : rootless
}

/** What is wrong with the rootfs that its path names, if anything. */
export async function rootfsProblem({ rootfs }: ContainerConfig): Promise<ConfigInvalid | undefined> {
  return await directoryProblem('rootfs', rootfs)
}

async function directoryProblem(field: string, path: string): Promise<ConfigInvalid | undefined> {
  try {
    await checkDirectory(field, path)
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error
  }
  return undefined
}

/** The same of what lies over it; and the kernel wants one file system for what is written and what is being written. */
async function layerProblems({ rootOverlay, rootfs }: ContainerConfig): Promise<ConfigInvalid[]> {
  if (rootOverlay === undefined) return []
  const layers = checkRootOverlay(rootOverlay, rootfs)
  const problems = await Promise.all(layers.map(([field, path]) => directoryProblem(field, path)))
  const found = problems.filter(problem => problem !== undefined)
  const { upper, work } = rootOverlay
  if (found.length > 0 || upper === undefined || work === undefined) return found
  const [a, b] = await Promise.all([stat(upper), stat(work)])
  if (a.device.major === b.device.major && a.device.minor === b.device.minor) return []
  return [new ConfigInvalid('rootOverlay.work', work, `must be on the file system of upper (${upper})`)]
}

/** It must be there, and be what its path says: a link in it could be changed under us. */
async function checkDirectory(field: string, given: string): Promise<void> {
  const path = cleanPath(given)
  try {
    const { type } = await stat(path)
    if (type !== 'directory') throw new ConfigInvalid(field, given, `must be a directory, not a ${type}`)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new ConfigInvalid(field, given, `cannot be used: ${error.code}`, { cause: error })
  }
  const names = path.split('/').slice(1)
  for (let i = 1; i <= names.length; i++) {
    const part = `/${names.slice(0, i).join('/')}`
    if ((await stat(part, { follow: false })).type === 'link') {
      throw new ConfigInvalid(field, given, `must not pass through a link: ${part} leads to ${await readLink(part)}`)
    }
  }
}

/** A joined namespace that is this process's own after all: what is set in it would be set for the host. */
async function sharedProblems(config: ContainerConfig, namespaces: readonly Namespace[]): Promise<ConfigInvalid[]> {
  const joined = namespaces.filter(({ path }) => path !== undefined)
  if (joined.length === 0) return []
  const shared = await Promise.all(joined.map(({ kind, path }) => sameFile(path!, namespacePath(kind))))
  const separate = new Set<NamespaceKind>(namespaces.map(({ kind }) => kind))
  for (const [i, { kind }] of joined.entries()) if (shared[i]) separate.delete(kind)
  const names = (['hostname', 'domainname'] as const).map(field =>
    problemOf(() => checkName(field, config[field], separate)),
  )
  const ofNetworks = separate.has('net') ? [] : await networkProblems(config, 'shared')
  return [...names.filter(problem => problem !== undefined), ...sysctlProblems(config.sysctl, separate), ...ofNetworks]
}

async function sameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)])
  return a.inode === b.inode && a.device.major === b.device.major && a.device.minor === b.device.minor
}
