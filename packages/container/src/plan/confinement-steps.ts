import { status as apparmorStatus, profileOnExecStep } from '@libcontainer/apparmor'
import { checkLandlock, type LandlockSteps, landlockProblem, landlockSteps } from '@libcontainer/init/landlock'
import type { Mount } from '@libcontainer/mount'
import { checkContext, checkRelabel, labelStep, status as selinuxStatus } from '@libcontainer/selinux'
import { ConfigInvalid, landlockVersion, type Step, SyscallError } from '@libcontainer/sys'
import { problemOf } from '../validate/apart.js'
import type { ConfinementRequest } from './confinement.js'
import type { Labels } from './process.js'

/* See confinement.ts. */

export { relabel } from '@libcontainer/selinux'

/** What of a plan is there for it. */
export interface Confinement {
  /** What tells the security modules what the program is to be. */
  readonly labels?: Labels | undefined
  readonly landlock?: LandlockSteps | undefined
}

const UNCONFINED = 'unconfined'

export async function confinementProblems(request: ConfinementRequest, at: string): Promise<readonly ConfigInvalid[]> {
  const { apparmorProfile, selinuxLabel, mountLabel, mounts = [], landlock } = request
  const field = `${at}landlock`
  const found = [
    landlock === undefined
      ? undefined
      : (problemOf(() => checkLandlock(landlock, field)) ?? landlockProblem(landlock, landlockVersion(), field)),
    // Without AppArmor everything is unconfined.
    !apparmorProfile || apparmorProfile === UNCONFINED
      ? undefined
      : await profileProblem(apparmorProfile, `${at}apparmorProfile`),
    selinuxLabel ? await labelProblem(selinuxLabel, `${at}selinuxLabel`) : undefined,
    mountLabel ? await labelProblem(mountLabel, `${at}mountLabel`) : undefined,
    ...(await Promise.all(mounts.map((mount, i) => relabelProblem(mount, `${at}mounts[${i}].relabel`)))),
  ]
  return found.filter(problem => problem !== undefined)
}

async function profileProblem(profile: string, field: string): Promise<ConfigInvalid | undefined> {
  const { enabled, reason } = await apparmorStatus()
  if (enabled) return undefined
  return new ConfigInvalid(field, profile, `cannot confine anything here: ${reason}`, {
    hint: 'leave it out, or have the engine do so: docker and podman by --security-opt apparmor=unconfined',
  })
}

async function labelProblem(label: string, field: string): Promise<ConfigInvalid | undefined> {
  const { enabled, reason } = await selinuxStatus()
  if (!enabled)
    return new ConfigInvalid(field, label, `cannot be given to anything here: ${reason}`, {
      hint: 'leave it out, or have the engine do so: docker and podman by --security-opt label=disable',
    })
  try {
    await checkContext(label, field)
  } catch (error) {
    if (error instanceof ConfigInvalid) return error
    throw error
  }
  return undefined
}

/** A source that is not there is somebody else's to tell. */
async function relabelProblem({ relabel, source }: Mount, field: string): Promise<ConfigInvalid | undefined> {
  if (relabel === undefined || source === undefined) return undefined
  try {
    await checkRelabel(source, field)
  } catch (error) {
    if (error instanceof ConfigInvalid) return error
    if (!(error instanceof SyscallError)) throw error
  }
  return undefined
}

/** It has none of {@link confinementProblems}. */
export function confinementOf({ apparmorProfile, selinuxLabel, landlock }: ConfinementRequest): Confinement {
  return {
    labels: apparmorProfile || selinuxLabel ? labelsOf(apparmorProfile, selinuxLabel) : undefined,
    landlock: landlock && landlockSteps(landlock, landlockVersion()),
  }
}

function labelsOf(profile: string | undefined, label: string | undefined): Labels {
  return {
    early: profile ? [profileStep(profile)] : undefined,
    ...(label
      ? {
          keyring: { before: [labelStep('keycreate', label)], after: [labelStep('keycreate', '')] },
          late: [labelStep('exec', label)],
        }
      : {}),
  }
}

/** To be unconfined is nothing to ask of a kernel without AppArmor. */
function profileStep(profile: string): Step {
  const step = profileOnExecStep(profile)
  if (profile !== UNCONFINED) return step
  const { ENOENT: older } = step.onError ?? {}
  // Neither file takes it, or is there.
  const off = { EINVAL: 'skip', ENOENT: 'skip' } as const
  return { ...step, onError: typeof older === 'object' ? { ...off, ENOENT: { ...older, onError: off } } : off }
}
