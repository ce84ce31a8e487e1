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
import type { ProcessSpec } from '../config/process-spec.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { isHostTerminal } from '../start/stdio.js'
import { environment } from '../validate/process.js'
import { DOMAINNAME } from '../validate/sysctl.js'
import { createHookSteps, type HookFacts, startHookSteps } from './hooks.js'
import { firstOfNetwork, needsNetworks, type OwnFiles, planMounts } from './mounts.js'
import { SOURCE_SLOT } from './outside-sources.js'
import { type Attributes, keyringSteps, type ProcessFacts, processSteps, USER_SLOTS, userArgs } from './process.js'

export interface ContainerFacts extends NamespaceFacts, Omit<ProcessFacts, 'userns'> {
  /** What mounts of type `cgroup` show. */
  readonly cgroups: CgroupMounts
  /** How init moves itself into its cgroups, before anything else: of package cgroups. */
  readonly joinCgroups: readonly Step[]
  /** The host has /proc/kcore: /dev/core leads to it. */
  readonly kcore: boolean
  /** Default: none. */
  readonly hooks?: HookFacts | undefined
  /** What is done for its networks while it is set up. Default: nothing. */
  readonly network?: NetworkFacts | undefined
  /** The parent may not administer the system: it writes the id maps as the owner of init's files, or has them written. */
  readonly unprivileged?: boolean | undefined
  /** The parent lives in a user namespace. */
  readonly mapped?: boolean | undefined
  /** Its root in memory and its own files. Default: none. */
  readonly ownFiles?: OwnFiles | undefined
  /** The places of binds whose source the container's root may not find. Default: none. */
  readonly unreachable?: ReadonlySet<number> | undefined
}

export const NETWORK = 'network'

export interface NetworkFacts {
  /** Its new network namespace is made without its first process, which gets it when it asks for {@link NETWORK}. */
  readonly isThere: boolean
  /** The parent has a part in them, which is first. */
  readonly waits: boolean
  /** What init does of them. */
  readonly steps: readonly Step[]
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
  const there = facts.network?.isThere ? new Map([['net', slot(NETWORK)] as const]) : undefined
  const namespaces = planNamespaces(config, { ...facts, there })
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
  // As ever hooks find the interfaces, and so do mounts, where one can tell. Else the parent makes them meanwhile, and nobody waits.
  const early = needsNetworks(config.mounts)
  // The namespace, too, is waited for when it is needed.
  const join = there ? [ask(NETWORK, 'wait until the network namespace is there'), ...namespaces.there] : []
  const place = early ? -1 : firstOfNetwork(config.mounts)
  const first = join.length > 0 && place >= 0 ? { place, steps: join } : undefined
  const mounts = planMounts(config.mounts, mountOptions, facts.unreachable, facts.ownFiles, first)
  const bound = bindsDev(config.mounts)
  // In the mounts of the host nothing is mounted, and nothing made: the root is the directory as it stands.
  const ownMounts = has('mnt')

  const networks = [
    ...(first ? [] : join),
    ...(facts.network?.waits ? whileSeen(ask(NETWORK, 'wait until the networks are there'), facts) : []),
    ...(isNew('net') ? [linkUp('lo')] : []),
    ...(facts.network?.steps ?? []),
  ]
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
    ...(facts.ownFiles?.mapped ?? []),
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
    ...(attributes.sysctl ?? []),
    ...processSteps(spec, attributes, {
      ...facts,
      userns,
      groupsDenied: facts.unprivileged,
      startHooks: (env, more) => startHookSteps(config, facts.hooks, env, more),
    }),
  ]
  const slots = [
    ...(userArgs(spec, environment(spec)).lookup ? USER_SLOTS : []),
    ...(mounts.outside.length > 0 || config.rootIdMap !== undefined ? [SOURCE_SLOT] : []),
    ...(there ? [NETWORK] : []),
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
