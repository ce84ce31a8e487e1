import { ask, closeFd, type Rendezvous } from '@libcontainer/init'
import { coverRootStep, mappedRootSteps, parseIdMapOption } from '@libcontainer/mount'
import { planProcessJoin } from '@libcontainer/namespaces'
import { ConfigInvalid, type OwnedFd, type Step, slot } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { userNamespaceOf } from '../config/namespace-requests.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { runSteps } from '../start/run-steps.js'
import { problemOf } from '../validate/apart.js'
import { checkMountIds } from './mount-ids.js'
import { SOURCE_SLOT, UserNamespaces } from './outside-sources.js'

/* A root whose ids are mapped: the kernel asks for rights over the file system, which no process of a user namespace has. See seldom.ts. */

const FIELD = 'rootIdMap'
const ASKED = 'root ids'

/** What is wrong with it. Pure. */
export function mappedRootProblems(config: ContainerConfig): ConfigInvalid[] {
  const { rootIdMap, rootTmpfs } = config
  if (rootIdMap === undefined) return []
  const problem = problemOf(() => {
    const idMap = parseIdMapOption(rootIdMap, FIELD)
    if (rootTmpfs !== undefined)
      throw new ConfigInvalid(FIELD, rootIdMap, 'shows nothing: rootTmpfs covers rootfs. Leave one of them out')
    checkMountIds({ idMap, field: FIELD, at: FIELD }, config, userNamespaceOf(config) !== undefined)
  })
  return problem === undefined ? [] : [problem]
}

/** The steps of init that make it the root, as soon as there is one. Pure. */
export function mappedRoot({ rootIdMap, rootfs }: ResolvedConfig): Step[] {
  if (rootIdMap === undefined) return []
  const tree = slot(SOURCE_SLOT)
  return [
    ask(ASKED, `wait until the ids of ${rootfs} are mapped`, slot('root')),
    coverRootStep(tree),
    closeFd(tree, rootfs),
  ]
}

/** Answers what {@link mappedRoot} asks, by the descriptor of the root that comes with it: no path is looked up again. */
export class MappedRoot {
  readonly #config: ResolvedConfig
  #tree: OwnedFd | undefined

  constructor(config: ResolvedConfig) {
    this.#config = config
  }

  get rendezvous(): Rendezvous {
    return {
      [ASKED]: async ({ pid, pidfd, fds: [root] }) => {
        if (root === undefined) return undefined
        const users = new UserNamespaces(this.#config, pid)
        try {
          this.#tree = await this.#take(root, pidfd, users)
        } finally {
          users.close()
          root.close()
        }
        return { fds: { [SOURCE_SLOT]: this.#tree.fd } }
      },
    }
  }

  async #take(root: OwnedFd, target: OwnedFd, users: UserNamespaces): Promise<OwnedFd> {
    const { rootIdMap = '', rootfs } = this.#config
    const idMap = parseIdMapOption(rootIdMap, FIELD)
    const userns = await users.of(idMap, FIELD)
    let tree: OwnedFd | undefined
    const steps = [
      ...planProcessJoin(slot('target'), ['mnt']).steps,
      ...mappedRootSteps(idMap, { root: slot('root'), userns: slot('user'), path: rootfs }),
      ask('tree', `hand ${rootfs} over`, slot('tree')),
    ]
    await runSteps(steps, {
      handed: { target: target.fd, root: root.fd, user: userns.fd },
      rendezvous: {
        tree: ({ fds: [taken] }) => {
          tree = taken
          return undefined
        },
      },
    })
    return tree!
  }

  close(): void {
    this.#tree?.close()
  }
}
