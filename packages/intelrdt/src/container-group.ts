import { ConfigInvalid, isErrno, type SyscallError } from '@libcontainer/sys'
import { groupOf, type IntelRdt, schemataOf } from './config.js'
import type { ResctrlGroup } from './group.js'
import { checkOffered } from './offered.js'
import type { Resctrl } from './resctrl.js'
import { type Schema, schemataProblem } from './schemata.js'
import type { RdtStats } from './stats.js'

/** The groups that a container's processes live in. */
export interface ContainerGroup {
  readonly group: ResctrlGroup
  /** Of its own, where what it uses is counted apart. */
  readonly monGroup: ResctrlGroup | undefined
}

/** What is to be done for a container's class, before any of it is. */
export interface GroupPlan extends ContainerGroup {
  /** What is written to the group's `schemata`; empty where nothing is. */
  readonly schemata: readonly Schema[]
  /** The groups to be made, in this order. */
  readonly make: readonly ResctrlGroup[]
  /** Of these, those that go with the container: a class that was given by its name may have others in it, and stays. */
  readonly own: readonly ResctrlGroup[]
}

/** The groups of a container; touches nothing. */
export function containerGroup(resctrl: Resctrl, id: string, config: IntelRdt, field = 'intelRdt'): ContainerGroup {
  const group = resctrl.group(groupOf(config, id, field) || '/')
  return { group, monGroup: config.enableMonitoring ? group.monGroup(id) : undefined }
}

/**
 * Finds out what a container's class takes, and that it can be had.
 *
 * A group that is there already must have what is asked for: others live in it. One that is not there is made, if it is said what of.
 *
 * @throws {ConfigInvalid} for what this machine or the group has not
 * @see config-linux.md of the OCI runtime specification, IntelRdt
 */
export async function planGroup(
  resctrl: Resctrl,
  id: string,
  config: IntelRdt,
  field = 'intelRdt',
): Promise<GroupPlan> {
  const info = await resctrl.info()
  checkOffered(config, info, field)
  const schemata = schemataOf(config, field)
  const { group, monGroup } = containerGroup(resctrl, id, config, field)
  if (await group.exists()) {
    const steps = Object.entries(info.bandwidth).map(([name, { bandwidthGran }]) => [name, bandwidthGran])
    const problem = schemata.length > 0 && schemataProblem(schemata, await group.schemata(), Object.fromEntries(steps))
    if (problem)
      throw new ConfigInvalid(`${field}.closId`, config.closId ?? id, `is a group with other schemata: ${problem}`, {
        hint: 'ask for what it has, leave the schemata out to take it as it is, or join another',
      })
    const make = monGroup === undefined ? [] : [monGroup]
    return { group, monGroup, schemata: [], make, own: make }
  }
  if (config.closId !== undefined && schemata.length === 0)
    throw new ConfigInvalid(`${field}.closId`, config.closId, 'must be a group that is there, or say its schemata', {
      hint: `make it with: mkdir ${group.path}`,
    })
  const make = monGroup === undefined ? [group] : [group, monGroup]
  return { group, monGroup, schemata, make, own: make.filter(each => each !== group || config.closId === undefined) }
}

export interface ClaimOptions {
  /** Called before anything is made, so that whoever ends after this leaves a trace of it. */
  readonly record?: ((plan: GroupPlan) => Promise<void>) | undefined
  /** Before the names of fields in errors. Default: `intelRdt`. */
  readonly field?: string | undefined
}

/** Makes what of a container's class is not there; when any of it fails, nothing is left. @throws as {@link planGroup}; {@link SyscallError} */
export async function claimGroup(
  resctrl: Resctrl,
  id: string,
  config: IntelRdt,
  { record, field = 'intelRdt' }: ClaimOptions = {},
): Promise<GroupPlan> {
  const plan = await planGroup(resctrl, id, config, field)
  await record?.(plan)
  const made: ResctrlGroup[] = []
  try {
    for (const group of plan.make) {
      await resctrl.make(group.name)
      made.push(group)
      if (group === plan.group) await group.setSchemata(plan.schemata)
    }
    return plan
  } catch (error) {
    await releaseGroup(made)
    // Somebody else has just made the class: it has to be looked at.
    const race = made.length === 0 && plan.make[0] === plan.group && isErrno(error, 'EEXIST')
    if (race && (error as SyscallError).syscall === 'mkdirat' && config.closId !== undefined)
      return await claimGroup(resctrl, id, config, { record, field })
    throw error
  }
}

/** Removes groups that were made for a container, the last first; absent ones are fine. */
export async function releaseGroup(groups: readonly ResctrlGroup[]): Promise<void> {
  for (const group of [...groups].reverse()) await group.remove()
}

/** What a container's class is, and what it uses. @throws {SyscallError} `ENOENT` when it is gone */
export async function statsOf(resctrl: Resctrl, id: string, config: IntelRdt): Promise<RdtStats> {
  const { group, monGroup } = containerGroup(resctrl, id, config)
  const [info, rootSchemata, schemata, monitoring] = await Promise.all([
    resctrl.info(),
    resctrl.group('/').schemata(),
    group.schemata(),
    (monGroup ?? group).monitoring(),
  ])
  return { info, rootSchemata, schemata, monitoring }
}
