import { ask, type Child, closeFd, type Rendezvous } from '@libcontainer/init'
import { checkMount, checkMounts, type Mount, type MountIdMap, openSource, sourceSteps } from '@libcontainer/mount'
import { cloneFlags, openNamespaceFd, planProcessJoin, writeIdMaps } from '@libcontainer/namespaces'
import { type OwnedFd, type Step, slot, stat } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { runSteps } from '../start/run-steps.js'
import { ownMaps } from './mount-ids.js'

/** The slot of the tree that is mounted next. */
export const SOURCE_SLOT = 'source'

const nameOf = (place: number): string => `source ${place}`

/** The places of the binds whose source init cannot take itself. Pure. */
export function outsidePlaces(mounts: readonly Mount[], unreachable: ReadonlySet<number> = new Set()): number[] {
  const checked = checkMounts(mounts)
  return [...mounts.keys()].filter(place => {
    const { idMap, inode } = checked[place]!
    return unreachable.has(place) || idMap !== undefined || inode !== undefined
  })
}

/** What is around the steps of a bind whose source the parent takes: it is waited for, and let go of. */
export function outsideSteps({ source = '' }: Mount, place: number): { before: Step[]; after: Step[] } {
  return {
    before: [ask(nameOf(place), `wait until ${source} is taken from outside`)],
    after: [closeFd(slot(SOURCE_SLOT), source)],
  }
}

/** By the mode of a directory, whoever owns it: the rest is init's to be told of by the kernel. */
const OTHERS_PASS = 0o001

/**
 * The places of the binds that root of a user namespace may not find: a directory above them is closed to strangers, which it is to the ids of the host.
 */
export async function unreachableSources(mounts: readonly Mount[]): Promise<ReadonlySet<number>> {
  const seen = new Map<string, Promise<boolean>>()
  const isClosed = async (path: string): Promise<boolean> => {
    // What is not there, or not for us either, is told of by who mounts.
    return await stat(path).then(
      ({ mode }) => (mode & OTHERS_PASS) === 0,
      () => false,
    )
  }
  const closed = await Promise.all(
    checkMounts(mounts).map(async ({ kind, source, options }) => {
      if (kind !== 'bind' || options.extensions.has('src-inside')) return false
      const names = source.split('/').slice(1, -1)
      const above = names.map((_, n) => `/${names.slice(0, n + 1).join('/')}`)
      for (const path of above) if (!seen.has(path)) seen.set(path, isClosed(path))
      return (await Promise.all(above.map(path => seen.get(path)!))).includes(true)
    }),
  )
  return new Set([...closed.keys()].filter(i => closed[i]))
}

/** How long a source may keep us waiting, on a network that does not answer: milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Takes sources of binds for a container, in its mount namespace and with our own rights: a short-lived process does, since one that joins a mount
 * namespace has its root there. What the kernel has locked in there stays locked.
 */
export class OutsideSources {
  readonly #config: ResolvedConfig
  readonly #places: readonly number[]
  readonly #taken = new Map<number, OwnedFd>()
  #taking: Promise<void> | undefined

  constructor(config: ResolvedConfig, places: readonly number[]) {
    this.#config = config
    this.#places = places
  }

  /** Answers what {@link outsideSteps} ask. All are taken at the first question. */
  get rendezvous(): Rendezvous {
    return Object.fromEntries(
      this.#places.map(place => [
        nameOf(place),
        async (child: Child) => {
          this.#taking ??= this.#take(child)
          await this.#taking
          return { fds: { [SOURCE_SLOT]: this.#taken.get(place)!.fd } }
        },
      ]),
    )
  }

  async #take({ pid, pidfd }: Child): Promise<void> {
    const users = new UserNamespaces(this.#config, pid)
    try {
      const handed: Record<string, number> = { target: pidfd.fd }
      const steps = [...planProcessJoin(slot('target'), ['mnt']).steps]
      const rendezvous: Record<string, Rendezvous[string]> = {}
      for (const place of this.#places) {
        const field = `mounts[${place}]`
        const mount = this.#config.mounts[place]!
        const { idMap } = checkMounts(this.#config.mounts)[place]!
        const name = `user ${place}`
        if (idMap !== undefined) handed[name] = (await users.of(idMap, field)).fd
        steps.push(
          ...sourceSteps(mount, { field, userns: idMap && slot(name) }),
          ask(nameOf(place), `hand ${mount.source} over`, slot('tree')),
          closeFd(slot('tree'), `${mount.source}`),
        )
        rendezvous[nameOf(place)] = async ({ fds: [tree] }) => {
          if (tree === undefined) return undefined
          this.#taken.set(place, tree)
          if (mount.inode === undefined) return undefined
          const { confirmSource } = await import('@libcontainer/mount')
          await confirmSource(mount, tree)
          return undefined
        }
      }
      await runSteps(steps, { handed, rendezvous, timeoutMs: PATIENCE_MS })
    } finally {
      users.close()
    }
  }

  close(): void {
    for (const tree of this.#taken.values()) tree.close()
  }
}

/** The user namespaces whose maps mounts have: one for all that have the same. */
export class UserNamespaces {
  readonly #config: ContainerConfig
  readonly #pid: number
  readonly #made = new Map<string, OwnedFd>()

  /** @param pid - a process of the container */
  constructor(config: ContainerConfig, pid: number) {
    this.#config = config
    this.#pid = pid
  }

  /** A descriptor of the one for these ids: ours, until {@link close}. */
  async of(idMap: MountIdMap, field: string): Promise<OwnedFd> {
    const maps = ownMaps(idMap, this.#config, field)
    const key = maps === undefined ? (idMap.path ?? '') : JSON.stringify(maps)
    let user = this.#made.get(key)
    if (user === undefined) {
      user =
        maps === undefined
          ? await openNamespaceFd(idMap.path ?? this.#pid, 'user')
          : await whileMapped(maps, async pid => await openNamespaceFd(pid, 'user'))
      this.#made.set(key, user)
    }
    return user
  }

  close(): void {
    for (const user of this.#made.values()) user.close()
  }
}

/** Takes the source of a bind from the mount namespace of this process, while the container has no process yet. */
export async function takeSource(mount: Mount, config: ResolvedConfig, field: string): Promise<OwnedFd> {
  const { idMap } = checkMount(mount, field)
  if (idMap === undefined) return await openSource(mount, { field })
  const { uidMappings: uid = [], gidMappings: gid = [] } = config
  const path = idMap.path ?? config.namespaces.find(({ kind }) => kind === 'user')?.path
  const maps = ownMaps(idMap, config, field) ?? (path === undefined ? { uid, gid } : undefined)
  const userNamespace =
    maps === undefined
      ? await openNamespaceFd(path!, 'user')
      : await whileMapped(maps, async pid => await openNamespaceFd(pid, 'user'))
  try {
    return await openSource(mount, { field, userNamespace })
  } finally {
    userNamespace.close()
  }
}

/** Does something to a process that lives meanwhile in a user namespace of these maps. */
async function whileMapped(
  maps: Parameters<typeof writeIdMaps>[1],
  act: (pid: number) => Promise<OwnedFd>,
): Promise<OwnedFd> {
  let result: OwnedFd | undefined
  await runSteps([ask('maps', 'wait until the id maps are written')], {
    cloneFlags: cloneFlags([{ kind: 'user' }]),
    rendezvous: {
      maps: async ({ pid }) => {
        await writeIdMaps(pid, maps)
        result = await act(pid)
        return undefined
      },
    },
  })
  return result!
}
