import { checkNamespaces, type NamespacePlan } from '@libcontainer/namespaces'
import { cgroupHierarchies } from '../cgroups/cgroup.js'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import { cgroupDriver } from '../cgroups/option.js'
import type { ContainerConfig } from '../config/config.js'
import { configCopy } from '../config/plain-copy.js'
import type { ProcessSpec } from '../config/process-spec.js'
import { type ResolvedConfig, resolveConfig } from '../config/resolve.js'
import { withRootlessDefaults } from '../config/rootless.js'
import { planNetworking } from '../network/network.js'
import { checkedProcess } from '../validate/process.js'
import { validate } from '../validate/validate.js'
import { attributesOf, preparedOf } from './attributes.js'
import { type ContainerFacts, type ContainerPlan, planContainer } from './container.js'
import { hostFacts } from './facts.js'
import type { HookFacts } from './hooks.js'
import { asksSeldom } from './mounts.js'
import { unreachableSources } from './outside-sources.js'
import type { Attributes } from './process.js'

export type { ContainerPlan, NamespacePlan }

/**
 * What starting a container would do to the kernel, step by step, without doing any of it.
 *
 * @throws {ConfigInvalid} for the first problem of the config or the process
 */
export async function plan(id: string, config: ContainerConfig, spec: ProcessSpec): Promise<ContainerPlan> {
  const copy = configCopy(config)
  const [problem] = await validate(copy)
  if (problem !== undefined) throw problem
  const process = checkedProcess(spec)
  const resolved = resolveConfig(id, await withRootlessDefaults(copy))
  const driver = await cgroupDriver()
  const attributes = attributesOf(resolved, process, true, await preparedOf(resolved, process))
  return await planFor(resolved, process, attributes, await driver.at(resolved.cgroups.path), {
    hooks: { id, at: point => resolved.hooks?.[point] ?? [] },
    network: await planNetworking({ directory: '', config: resolved }),
  })
}

/** The plan of a container's first process on this host, in this cgroup. @param spec - checked */
export async function planFor(
  config: ResolvedConfig,
  spec: ProcessSpec,
  attributes: Attributes,
  cgroup: ContainerCgroup,
  { waitForStart, hooks, network }: Pick<ContainerFacts, 'waitForStart' | 'network'> & { readonly hooks: HookFacts },
): Promise<ContainerPlan> {
  const [host] = await Promise.all([hostFacts(), checkNamespaces(config)])
  // Nobody outside may do more than root of it where that is all that we are.
  const helps = config.namespaces.some(({ kind }) => kind === 'user') && !host.unprivileged
  const unreachable = helps ? await unreachableSources(config.mounts) : undefined
  return planContainer(config, spec, attributes, {
    ...host,
    bornInCgroup: cgroup.host.mode === 'v2',
    cgroups: {
      hierarchies: cgroupHierarchies(cgroup),
      namespace: config.namespaces.some(({ kind }) => kind === 'cgroup'),
    },
    joinCgroups: cgroup.joinSelfSteps(),
    waitForStart,
    hooks,
    network,
    unreachable,
    ownFiles: asksSeldom(config) ? (await import('./seldom.js')).ownFilesOf(config) : undefined,
  })
}
