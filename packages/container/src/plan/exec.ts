import { openRoot, secondClone, setSession } from '@libcontainer/init'
import { joinSessionKeyring } from '@libcontainer/keys'
import { chrootStep, reopenNullStep } from '@libcontainer/mount'
import { type NamespaceKind, planProcessJoin } from '@libcontainer/namespaces'
import { type Step, slot } from '@libcontainer/sys'
import type { ProcessSpec } from '../config/process-spec.js'
import { environment } from '../validate/process.js'
import { terminalSteps } from './container.js'
import { type Attributes, keyringSteps, type ProcessFacts, processSteps, USER_SLOTS, userArgs } from './process.js'

export interface ExecFacts extends Omit<ProcessFacts, 'waitForStart' | 'userns'> {
  /** The namespaces of the container that are not ours already. */
  readonly kinds: readonly NamespaceKind[]
  readonly joinCgroups: readonly Step[]
  /** Its root is in the slot `root`: it has no mount namespace that it would be the root of. Default: false. */
  readonly rooted?: boolean | undefined
  /** The container's own, by name. */
  readonly sessionKeyring?: string | undefined
  /** The parent may not administer the system: setgroups may be denied in the container. */
  readonly unprivileged?: boolean | undefined
}

/** The plan of a further process: into the cgroups and namespaces of a running container, then as its first. Pure. */
export function planExec(
  spec: ProcessSpec,
  attributes: Attributes,
  facts: ExecFacts,
): { steps: readonly Step[]; slots: readonly string[] } {
  const join = planProcessJoin(slot('target'), facts.kinds)
  const steps = [
    ...attributes.sharing.initial,
    ...facts.joinCgroups,
    ...join.steps,
    ...(join.needsSecondClone ? [secondClone] : []),
    setSession,
    ...keyringSteps(
      facts.sessionKeyring === undefined ? [] : [joinSessionKeyring(facts.sessionKeyring, { existing: true })],
      attributes,
    ),
    facts.rooted ? chrootStep() : openRoot,
    ...terminalSteps(spec, attributes, false),
    ...(spec.terminal ? [] : [reopenNullStep(slot('root'))]),
    ...processSteps(spec, attributes, {
      ...facts,
      userns: facts.kinds.includes('user'),
      groupsDenied: facts.unprivileged,
    }),
  ]
  return { steps, slots: userArgs(spec, environment(spec)).lookup ? USER_SLOTS : [] }
}
