import {
  type CheckedMount,
  type ContainerFile,
  checkFile,
  checkMounts,
  checkRootTmpfs,
  cleanPath,
  defaultMounts,
  fileStep,
  mountOfPath,
  rootTmpfsStep,
} from '@libcontainer/mount'
import { ConfigInvalid, type Step, slot } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { problemOf } from '../validate/apart.js'
import { mappedRoot } from './mapped-root.js'
import type { OwnFiles } from './mounts.js'

/* A root in memory, and files of a container's own. See seldom.ts. */

/** What is wrong with them. Pure. */
export function ownFilesProblems(config: ContainerConfig): ConfigInvalid[] {
  const { files = [] } = config
  const list = Array.isArray(files) ? [] : [() => refuseList(files)]
  const checks = [
    () => checkMemoryRoot(config),
    ...list,
    ...(Array.isArray(files) ? files : []).map((file, i) => () => checkPlacedFile(file, config, `files[${i}]`)),
  ]
  return checks.flatMap(check => problemOf(check) ?? [])
}

function refuseList(files: unknown): never {
  throw new ConfigInvalid('files', files, 'must be a list')
}

/** The steps that make them. Pure. */
export function ownFilesOf(config: ResolvedConfig): OwnFiles {
  const { rootTmpfs, files = [], mounts, mountLabel } = config
  const root = slot('root')
  const checked = checkMounts(mounts)
  return {
    mapped: mappedRoot(config),
    root: rootTmpfs === undefined ? [] : [rootTmpfsStep(rootTmpfs, { root, label: mountLabel })],
    at: (place, root): Step[] => {
      const mount = { root, destination: checked[place]?.destination ?? '/' }
      return files.filter(({ path }) => mountOfPath(path, checked) === place).map(file => fileStep(file, mount))
    },
  }
}

function checkMemoryRoot(config: ContainerConfig): void {
  const { rootTmpfs, rootOverlay, rootfs } = config
  if (rootTmpfs === undefined) return
  checkRootTmpfs(rootTmpfs)
  if (rootOverlay !== undefined)
    throw new ConfigInvalid('rootTmpfs', rootTmpfs, 'is in place of rootOverlay: leave one of them out')
  // Paths of sources are looked up when it is covered.
  const beneath = mountsOf(config)?.find(({ kind, source }) => kind === 'bind' && isBeneath(source, cleanPath(rootfs)))
  if (beneath !== undefined)
    throw new ConfigInvalid(
      `${beneath.field}.source`,
      beneath.source,
      'lies in rootfs, which rootTmpfs covers: let rootfs be another directory',
    )
}

const isBeneath = (path: string, directory: string): boolean => `${cleanPath(path)}/`.startsWith(`${directory}/`)

const KERNELS_OWN = ['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts', 'mqueue']

/** A file that was made on the host's own would stay there. */
function checkPlacedFile(file: ContainerFile, config: ContainerConfig, field: string): void {
  checkFile(file, field)
  const { path } = file
  const mounts = mountsOf(config)
  // What is wrong with them is told of them.
  if (mounts === undefined) return
  const mount = mounts[mountOfPath(path, mounts)]
  const { rootTmpfs, rootOverlay } = config
  if (mount === undefined && (rootTmpfs ?? rootOverlay) === undefined)
    throw new ConfigInvalid(`${field}.path`, path, 'lies on rootfs, where it would stay', {
      hint: 'lay memory over it, rootOverlay: { temporary: true }, or mount a tmpfs there',
    })
  if (mount !== undefined && (mount.kind !== 'filesystem' || KERNELS_OWN.includes(mount.type)))
    throw new ConfigInvalid(
      `${field}.path`,
      path,
      `lies on what is mounted on ${mount.destination}, which is not the container’s own`,
      {
        hint: 'put it on a tmpfs; or bind a file there',
      },
    )
}

function mountsOf({ mounts = defaultMounts }: ContainerConfig): readonly CheckedMount[] | undefined {
  try {
    return checkMounts(mounts)
  } catch {
    return undefined
  }
}
