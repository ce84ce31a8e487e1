import { openRoot } from '@libcontainer/init'
import { checkMount, cleanPath, type Mount, mountSteps, openSource, unmountStep } from '@libcontainer/mount'
import { joinTarget, planProcessJoin } from '@libcontainer/namespaces'
import { ConfigInvalid, kernelString, LibcontainerError, type Step, slot } from '@libcontainer/sys'
import { ownsMounts } from '../config/namespace-requests.js'
import { plainCopy } from '../config/plain-copy.js'
import type { Handle } from '../handle.js'
import { checkMountIds } from '../plan/mount-ids.js'
import { UserNamespaces } from '../plan/outside-sources.js'
import { relabelSources } from '../start/relabel.js'
import { runSteps } from '../start/run-steps.js'
import { openInit } from '../state/init-process.js'
import { checkRelabel } from '../validate/shape.js'

/** What shows nothing of the process that mounts it: others would show the host's processes, network or queues in the container. */
const TYPES = ['bind', 'tmpfs']

/** Mounts in a running container: all of them, or none. */
export async function addMounts(handle: Handle, given: readonly Mount[]): Promise<void> {
  const mounts = plainCopy(given)
  const hasUser = handle.config.namespaces.some(({ kind }) => kind === 'user')
  mounts.forEach((mount, i) => {
    const checked = checkMount(mount, `mounts[${i}]`, handle.warn)
    const { kind, type } = checked
    checkMountIds(checked, handle.config, hasUser)
    checkRelabel(mount, handle.config, `mounts[${i}]`)
    if (checked.options.extensions.has('src-inside'))
      throw new ConfigInvalid(`mounts[${i}].options`, 'src-inside', 'is for containers that are made')
    if (kind !== 'bind' && !(kind === 'filesystem' && TYPES.includes(type)))
      throw new ConfigInvalid(`mounts[${i}].type`, mount.type, `must be ${TYPES.join(' or ')} in a container that runs`)
  })
  await relabelSources(mounts, handle.config.mountLabel)
  await inside(handle, 'cannot mount in', async (act, pid) => {
    const done: string[] = []
    try {
      for (const [i, mount] of mounts.entries()) {
        await addOne(act, handle, pid, mount, i)
        done.unshift(mount.destination)
      }
    } catch (error) {
      // Those are ours; what the container has done to them meanwhile is its own affair.
      if (done.length > 0) await act(done.map(path => unmountStep(path))).catch(() => {})
      throw error
    }
  })
}

/** Unmounts in a running container, in this order, what is mounted last at each path. Stops at the first that is refused. */
export async function removeMounts(handle: Handle, paths: readonly string[]): Promise<void> {
  const steps = paths.map((path, i) => {
    const clean = cleanPath(kernelString(path, `paths[${i}]`))
    if (clean === '/') throw new ConfigInvalid(`paths[${i}]`, path, 'must not be the root itself')
    return unmountStep(clean)
  })
  await inside(handle, 'cannot unmount in', act => act(steps))
}

/** Applies steps in the mount namespace of the container, whose root is in the slot `root`; `handed` are descriptors in slots. */
export type Act = (steps: readonly Step[], handed?: Readonly<Record<string, number>>) => Promise<void>

async function addOne(act: Act, handle: Handle, pid: number, mount: Mount, i: number): Promise<void> {
  const field = `mounts[${i}]`
  const { kind, idMap } = checkMount(mount, field)
  if (kind !== 'bind') return await act(mountSteps([mount], { field, live: true, label: handle.config.mountLabel }))
  const users = new UserNamespaces(handle.config, pid)
  try {
    const userNamespace = idMap && (await users.of(idMap, field))
    // Taken here, where its path means what the caller means: a detached tree is all that the container gets of the host.
    const tree = await openSource(mount, { field, userNamespace })
    try {
      await act(mountSteps([mount], { field, live: true, trees: new Map([[0, slot('tree')]]) }), { tree: tree.fd })
    } finally {
      tree.close()
    }
  } finally {
    users.close()
  }
}

export async function inside(
  handle: Handle,
  what: string,
  work: (act: Act, pid: number) => Promise<void>,
): Promise<void> {
  await handle.locked(async text => {
    const state = await handle.adopt(text)
    const init = state === undefined ? undefined : await openInit(state)
    if (state === undefined || init === undefined) throw handle.notRunning()
    try {
      const { pidfd, kinds } = await joinTarget(state.init_process_pid, ['user', 'mnt'])
      pidfd.close()
      if (!ownsMounts(handle.config) || !kinds.includes('mnt'))
        throw new LibcontainerError('ERR_UNSUPPORTED', `container '${handle.id}' has no mount namespace of its own`, {
          hint: 'do it on the host, below its root: it sees the mounts and nodes there',
        })
      const join = planProcessJoin(slot('target'), kinds).steps
      await handle.doing(what, () =>
        work(
          (steps, handed = {}) => runSteps([...join, openRoot, ...steps], { handed: { ...handed, target: init.fd } }),
          state.init_process_pid,
        ),
      )
    } finally {
      init.close()
    }
  })
}
