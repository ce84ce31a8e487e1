import { type Arg, nulTerminated, type Step } from '@libcontainer/sys'
import { attributesOf, newAttributes, packAttributes } from './attributes.js'
import { HOW, MOUNT_ATTR, MS } from './flags.js'
import { labelOption } from './labels.js'
import type { CheckedMount } from './mount.js'
import { packPropagation } from './propagation.js'

/** One hierarchy of cgroups, as the container is in it. */
export interface CgroupHierarchy {
  readonly version: 1 | 2
  /** The directory to show it as: `cpu,cpuacct`, `systemd`, `unified`; `''` for the only one, which is the mount itself. */
  readonly name: string
  /** For version 1, what selects it when it is mounted: `['cpu', 'cpuacct']`, `['none', 'name=systemd']`. */
  readonly options?: readonly string[] | undefined
  /** The host's directory of the container's own cgroup. */
  readonly path: string
}

/** What a mount of type `cgroup` shows. */
export interface CgroupMounts {
  /** The v1 hierarchies one by one, v2 alone with the name `''`, or both side by side on a hybrid host. */
  readonly hierarchies: readonly CgroupHierarchy[]
  /** Whether the container has a cgroup namespace: then the hierarchies are mounted, else the container's own directories are bound. */
  readonly namespace: boolean
}

/** The steps of one mount of type `cgroup`. */
export function cgroupSteps(
  mount: CheckedMount,
  root: Arg,
  { hierarchies, namespace }: CgroupMounts,
  label?: string | undefined,
): Step[] {
  const only = hierarchies.length === 1 && hierarchies[0]!.name === '' ? hierarchies[0] : undefined
  if (only !== undefined) return [hierarchyStep(mount, root, only, mount.destination, namespace, label)]
  // Written to while the directories and links are made; read-only, if asked, once that is done.
  const readonly = newAttributes(mount.options) & MOUNT_ATTR.RDONLY
  const steps: Step[] = [
    {
      op: 'mountFilesystem',
      args: [
        root,
        mount.destination,
        'tmpfs',
        'cgroup',
        nulTerminated(['mode=755', ...labelOption(label)]),
        newAttributes(mount.options) & ~readonly,
        0,
        packPropagation(mount.options.propagation),
      ],
      about: `mount tmpfs for cgroups on ${mount.destination}`,
      path: mount.destination,
    },
  ]
  for (const hierarchy of hierarchies) {
    steps.push(hierarchyStep(mount, root, hierarchy, `${mount.destination}/${hierarchy.name}`, namespace, label))
  }
  for (const { name } of hierarchies) steps.push(...linkSteps(root, mount.destination, name))
  if (readonly) {
    steps.push({
      op: 'setMountAttributes',
      args: [root, mount.destination, packAttributes({ set: readonly, clear: 0 }), 0],
      about: `make ${mount.destination} read-only`,
      path: mount.destination,
    })
  }
  return steps
}

function hierarchyStep(
  mount: CheckedMount,
  root: Arg,
  hierarchy: CgroupHierarchy,
  path: string,
  namespace: boolean,
  label: string | undefined,
): Step {
  const bind = bindStep(mount, root, hierarchy, path, label)
  if (!namespace) return bind
  const { version, options = [] } = hierarchy
  const type = version === 2 ? 'cgroup2' : 'cgroup'
  const data = nulTerminated([...options, ...mount.options.data])
  return {
    op: 'mountFilesystem',
    // The file system is shared with the host, so read-only is an attribute of the mount alone.
    args: [
      root,
      path,
      type,
      'cgroup',
      data,
      newAttributes(mount.options),
      0,
      packPropagation(mount.options.propagation),
    ],
    about: `mount ${type} on ${path}`,
    path,
    // Refused without a cgroup namespace owned by this user namespace, or where the hierarchy is in use with other options.
    onError: { EPERM: bind, EBUSY: bind },
  }
}

/** The container's own directory; where the host has none (an ordinary user's container), an empty one in its place. */
function bindStep(
  mount: CheckedMount,
  root: Arg,
  { version, path: source }: CgroupHierarchy,
  path: string,
  label: string | undefined,
): Step {
  const attributes = newAttributes(mount.options)
  const propagation = packPropagation(mount.options.propagation)
  const bind: Step = {
    op: 'bindMount',
    args: [root, -1, source, path, HOW.RECURSIVE, packAttributes({ set: attributes, clear: 0 }), 0, propagation],
    about: `bind cgroup ${source} on ${path}`,
    path,
  }
  if (version === 1) return bind
  const hidden = attributes | attributesOf(MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC)
  return {
    ...bind,
    onError: {
      ENOENT: {
        op: 'mountFilesystem',
        args: [
          root,
          path,
          'tmpfs',
          'cgroup',
          nulTerminated(['ro', 'mode=555', ...labelOption(label)]),
          hidden,
          0,
          propagation,
        ],
        about: `hide cgroups on ${path}`,
        path,
      },
    },
  }
}

/** Programs look for `/sys/fs/cgroup/cpu`: a link for each controller of a hierarchy that has several. */
function linkSteps(root: Arg, destination: string, name: string): Step[] {
  const controllers = name.split(',')
  if (controllers.length < 2) return []
  return controllers.map(controller => ({
    op: 'linkController',
    args: [root, name, `${destination}/${controller}`],
    about: `link ${destination}/${controller} to ${name}`,
    path: `${destination}/${controller}`,
    onError: { EEXIST: 'skip' },
  }))
}
