import { type Arg, ConfigInvalid, kernelString, type Step, slot } from '@libcontainer/sys'
import { cleanPath, type Mount } from './mount.js'
import { mountSteps } from './mount-steps.js'
import { unmountStep } from './rootfs.js'

/** Files of a system that a container usually has of whoever runs it: what each is called in `/etc`. */
const FILES = { hosts: 'hosts', resolvConf: 'resolv.conf', hostname: 'hostname', localtime: 'localtime' } as const

/** Where on the host they are taken from; `false` leaves one out. Default: the host's own, in `/etc`. */
export type RuntimeFiles = { readonly [name in keyof typeof FILES]?: string | false | undefined }

/**
 * Read-only binds of `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname` and `/etc/localtime`, for the end of a container's mounts. Links are followed: on the
 * host to what it uses, in the container inside its root.
 *
 * @throws {ConfigInvalid} for a source that is not absolute
 */
export function runtimeFiles(files: RuntimeFiles = {}): Mount[] {
  return Object.entries(FILES).flatMap(([name, file]) => {
    const source = files[name as keyof RuntimeFiles] ?? `/etc/${file}`
    if (source === false) return []
    if (!kernelString(source, name).startsWith('/'))
      throw new ConfigInvalid(name, source, 'must be an absolute path, or false')
    return [{ destination: `/etc/${file}`, source, options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] }]
  })
}

export interface OverlayOptions {
  readonly destination: string
  /** Directories of the host, the uppermost first. */
  readonly lower: readonly string[]
  /** Takes what is written; with `work`, an empty directory on the same file system. Without both the overlay is read-only. */
  readonly upper?: string | undefined
  readonly work?: string | undefined
  /** What is written goes into memory, and away with the mount: in place of `upper` and `work`. Default: `false`. */
  readonly temporary?: boolean | undefined
  /** Further words: flags, `size=` of the memory is not among them. */
  readonly options?: readonly string[] | undefined
}

/**
 * A mount that shows directories one on top of the other.
 *
 * @throws {ConfigInvalid} for directories that the kernel would refuse, or take for others
 * @see https://docs.kernel.org/filesystems/overlayfs.html
 */
export function overlay({ destination, lower, upper, work, temporary = false, options = [] }: OverlayOptions): Mount {
  if (!Array.isArray(lower) || lower.length === 0)
    throw new ConfigInvalid('lower', lower, 'must be a list of directories, at least one')
  lower.forEach((path, i) => {
    checkLayer(path, `lower[${i}]`)
  })
  if ((upper === undefined) !== (work === undefined))
    throw new ConfigInvalid(
      upper === undefined ? 'upper' : 'work',
      undefined,
      'must be given too: upper and work go together',
    )
  if (temporary && upper !== undefined)
    throw new ConfigInvalid('temporary', temporary, 'is in place of upper and work: leave them out')
  const layers = lower.map(path => path.replace(/([\\:])/g, '\\$1')).join(':')
  const readonly = upper === undefined && !temporary
  // The kernel wants two directories where none can be written to.
  if (readonly && lower.length === 1) return { destination, source: lower[0], options: ['rbind', 'ro', ...options] }
  return {
    destination,
    type: 'overlay',
    source: 'overlay',
    options: [
      ...options,
      ...(readonly ? ['ro'] : []),
      ...(temporary ? ['tmp-overlay'] : []),
      `lowerdir=${layers}`,
      ...(upper === undefined
        ? []
        : [`upperdir=${checkLayer(upper, 'upper')}`, `workdir=${checkLayer(work!, 'work')}`]),
    ],
  }
}

function checkLayer(path: string, field: string): string {
  if (!kernelString(path, field).startsWith('/')) throw new ConfigInvalid(field, path, 'must be absolute')
  // One word of options may hold several, which a comma parts.
  if (/[,"]/.test(path)) throw new ConfigInvalid(field, path, 'must not hold a comma or a quote: rename the directory')
  return cleanPath(path)
}

/** A proc of the process's own pid namespace in place of what is at `/proc`: `RemountProc` of 2014. In the root of whoever applies it. */
export function remountProcSteps(root: Arg = slot('root')): Step[] {
  return again({ destination: '/proc', type: 'proc', source: 'proc', options: FLAGS }, root)
}

/** A sysfs of the process's own network namespace in place of what is at `/sys`: `RemountSys` of 2014. Nothing there is no error. */
export function remountSysSteps(root: Arg = slot('root')): Step[] {
  return again({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: FLAGS }, root)
}

const FLAGS = ['nosuid', 'noexec', 'nodev']

function again(mount: Mount, root: Arg): Step[] {
  return [{ ...unmountStep(mount.destination), onError: { EINVAL: 'skip' } }, ...mountSteps([mount], { root })]
}
