import { consoleSteps, labelTerminalStep, useTerminalStep } from '@libcontainer/console'
import { deviceSteps, linkSteps, ptmxStep } from '@libcontainer/devices'
import {
  ask,
  closeFd,
  linkUp,
  secondClone,
  setDomainname,
  setDumpable,
  setHostname,
  setSession,
  sysctlPath,
  writeSysctl,
} from '@libcontainer/init'
import { joinSessionKeyring } from '@libcontainer/keys'
import {
  bindsDev,
  type CgroupMounts,
  chrootStep,
  lateReadonlySteps,
  maskedPathSteps,
  moveRootSteps,
  openedMounts,
  openRootfsStep,
  pivotSteps,
  prepareRootSteps,
  readonlyPathSteps,
  readonlyRootStep,
  reopenNullStep,
  rootOverlayStep,
  rootPropagationSteps,
} from '@libcontainer/mount'
import { type NamespaceFacts, type NamespacePlan, planNamespaces } from '@libcontainer/namespaces'
import { type Step, slot } from '@libcontainer/sys'
import { hasNetworking } from './network.js'
import { SOURCE_SLOT } from './outside-sources.js'
import { createHookSteps, type HookFacts, startHookSteps } from './plan-hooks.js'
import { needsNetworks, planMounts } from './plan-mounts.js'
import { type Attributes, keyringSteps, type ProcessFacts, processSteps, USER_SLOTS, userArgs } from './plan-process.js'
import { environment } from './process-check.js'
import type { ProcessSpec } from './process-spec.js'
import type { ResolvedConfig } from './resolve.js'
import { isHostTerminal } from './stdio.js'
import { DOMAINNAME } from './validate-sysctl.js'

export interface ContainerFacts extends NamespaceFacts, Omit<ProcessFacts, 'userns'> {
  /** What mounts of type `cgroup` show. */
  readonly cgroups: CgroupMounts
  /** How init moves itself into its cgroups, before anything else: of package cgroups. */
  readonly joinCgroups: readonly Step[]
  /** The host has /proc/kcore: /dev/core leads to it. */
  readonly kcore: boolean
  /** Default: none. */
  readonly hooks?: HookFacts | undefined
  /** What init does of its networks when the parent has done its part. Default: nothing. */
  readonly network?: readonly Step[] | undefined
  /** The parent may not administer the system: it writes the id maps as the owner of init's files, or has them written. */
  readonly unprivileged?: boolean | undefined
  /** The parent lives in a user namespace. */
  readonly mapped?: boolean | undefined
  /** The places of binds whose source the container's root may not find. Default: none. */
  readonly unreachable?: ReadonlySet<number> | undefined
}

/** Everything that is done to the kernel for a container, from clone to exec. */
export interface ContainerPlan {
  readonly steps: readonly Step[]
  readonly namespaces: NamespacePlan
  /** Slots that answers fill. */
  readonly slots: readonly string[]
  /** The places of the binds whose source the parent takes: see {@link OutsideSources}. */
  readonly outside: readonly number[]
}

/** The plan of a container's first process. Pure: `nsinit plan` prints it without touching the kernel. */
export function planContainer(
  config: ResolvedConfig,
  spec: ProcessSpec,
  attributes: Attributes,
  facts: ContainerFacts,
): ContainerPlan {
  const namespaces = planNamespaces(config, facts)
  const has = (kind: string): boolean => config.namespaces.some(each => each.kind === kind)
  const isNew = (kind: string): boolean => config.namespaces.some(each => each.kind === kind && each.path === undefined)
  const userns = has('user')
  const root = slot('root')
  const opened = openedMounts(config.mounts)
  const mountOptions = {
    root,
    userns,
    pidns: has('pid'),
    cgroups: facts.cgroups,
    label: config.mountLabel,
    opened,
    locked: userns || (facts.mapped ?? false),
  }
  const mounts = planMounts(config.mounts, mountOptions, facts.unreachable)
  const bound = bindsDev(config.mounts)
  // In the mounts of the host nothing is mounted, and nothing made: the root is the directory as it stands.
  const ownMounts = has('mnt')

  const networks = [
    ...(hasNetworking(config) ? whileSeen(ask('network', 'wait until the networks are there'), facts) : []),
    ...(isNew('net') ? [linkUp('lo')] : []),
    ...(facts.network ?? []),
  ]
  // As ever hooks find the interfaces, and so do mounts, where one can tell. Else the parent makes them meanwhile, and nobody waits.
  const early = needsNetworks(config.mounts)

  const steps: Step[] = [
    ...attributes.sharing.initial,
    // First, by the ids and in the mounts of the host; a cgroup namespace that is made later has them as its roots.
    ...facts.joinCgroups,
    ...namespaces.enter,
    ...(namespaces.needsMaps ? mapSteps(facts) : []),
    ...namespaces.become,
    ...namespaces.create,
    ...namespaces.late,
    ...(namespaces.offsetsByParent ? [ask('clocks', 'wait until the clocks are set')] : []),
    ...(namespaces.needsSecondClone ? [secondClone] : []),
    setSession,
    ...keyringSteps(config.sessionKeyring === undefined ? [] : [joinSessionKeyring(config.sessionKeyring)], attributes),
    ...(early ? networks : []),
    ...(ownMounts ? prepareRootSteps(config.rootfs, config.rootPropagation) : [openRootfsStep(config.rootfs)]),
    ...(config.rootOverlay
      ? [rootOverlayStep(config.rootOverlay, { userns: mountOptions.locked, label: config.mountLabel })]
      : []),
    ...mounts.steps,
    ...(ownMounts && !bound
      ? [
          ...deviceSteps(root, config.devices, { bind: userns ? 'always' : 'fallback' }),
          ...linkSteps(root, { kcore: facts.kcore }),
          ptmxStep(root),
        ]
      : []),
    ...(early ? [] : networks),
    ...createHookSteps(config, facts.hooks),
    // Before the pivot, when a verified null device can still be the host's: the container may have none.
    ...readonlyPathSteps(config.readonlyPaths, { root, opened }),
    ...maskedPathSteps(config.maskedPaths, { root, opened, label: config.mountLabel }),
    ...(ownMounts ? (config.noPivotRoot ? moveRootSteps(root) : pivotSteps(root)) : [chrootStep(root)]),
    ...terminalSteps(spec, attributes, ownMounts),
    ...(bound || spec.terminal ? [] : [reopenNullStep(root)]),
    ...lateReadonlySteps(config.mounts, mountOptions),
    ...(config.readonlyRootfs ? [readonlyRootStep(root)] : []),
    ...(config.rootPropagation === undefined ? [] : rootPropagationSteps(config.rootPropagation)),
    ...(config.hostname === undefined ? [] : [setHostname(config.hostname)]),
    ...(config.domainname === undefined ? [] : [setDomainname(config.domainname)]),
    ...Object.entries(config.sysctl ?? {}).map(([key, value]) => sysctlStep(key, value)),
    ...processSteps(spec, attributes, {
      ...facts,
      userns,
      groupsDenied: facts.unprivileged,
      startHooks: (env, more) => startHookSteps(config, facts.hooks, env, more),
    }),
  ]
  const slots = [
    ...(userArgs(spec, environment(spec)).lookup ? USER_SLOTS : []),
    ...(mounts.outside.length > 0 ? [SOURCE_SLOT] : []),
  ]
  return { steps, namespaces, slots, outside: mounts.outside }
}

/** The file of the domainname is the host's root's alone, also where a user namespace owns the name: the call asks who owns that. */
const sysctlStep = (key: string, value: string): Step =>
  sysctlPath(key) === DOMAINNAME ? setDomainname(value) : writeSysctl(key, value)

const mapSteps = (facts: ContainerFacts): Step[] => whileSeen(ask('maps', 'wait until the id maps are written'), facts)

/** The files of a process that is not dumpable are the host's root's: nobody else could write its maps, or find its namespaces. */
function whileSeen(wait: Step, { unprivileged = false, mapped = false }: ContainerFacts): Step[] {
  return unprivileged || mapped ? [setDumpable(true), wait, setDumpable(false)] : [wait]
}

/** A terminal of the container's own devpts, its master sent up. */
export function terminalSteps(
  { terminal, plainNewlines }: ProcessSpec,
  { mountLabel }: Attributes,
  bind = true,
): Step[] {
  if (!terminal) return []
  if (isHostTerminal(terminal)) {
    const slave = slot('terminal')
    return [...(mountLabel ? [labelTerminalStep(slave, mountLabel)] : []), useTerminalStep(slave)]
  }
  const size = terminal === true ? undefined : terminal
  const steps = consoleSteps({
    root: slot('root'),
    size,
    plainNewlines,
    bind,
    send: [
      ask('terminal', 'hand the terminal’s master to the parent', slot('consoleMaster')),
      closeFd(slot('consoleMaster'), 'the master'),
    ],
  })
  return [...steps, useTerminalStep()]
}
