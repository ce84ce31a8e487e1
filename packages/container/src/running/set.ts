import type { SetOptions } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { plainCopy } from '../config/plain-copy.js'
import type { ResolvedConfig } from '../config/resolve.js'
import type { Handle } from '../handle.js'
import { changeOfClass } from '../intelrdt/class.js'
import { deviceRules } from '../plan/device-rules.js'
import { saveState } from '../state/state.js'
import { statusOf } from '../state/status.js'
import { validateShape } from '../validate/shape.js'
import { mergedLimits } from './merged-limits.js'

/** What `set` takes of a config: its limits, and the schemata of its class. All else of a container stays as long as it lives. */
export type LimitsChange = Pick<ContainerConfig, 'cgroups' | 'intelRdt'>

/** The change, or what makes one of the config as it is while nobody else can change it. */
export type LimitsRequest = LimitsChange | ((config: ResolvedConfig) => LimitsChange)

/** Changes limits of a live container: in the kernel, in its config and in its state; in all of them or in none. */
export async function setLimits(handle: Handle, change: LimitsRequest, options: SetOptions = {}): Promise<void> {
  const given = typeof change === 'function' ? undefined : plainCopy(change)
  await handle.locked(async text => {
    const state = await handle.adopt(text)
    if (state === undefined || (await statusOf(state, handle.directory)) === 'stopped') throw handle.notRunning()
    const { cgroups: wanted = {}, intelRdt } =
      given ?? plainCopy((change as (config: ResolvedConfig) => LimitsChange)(plainCopy(state.config)))
    const cgroup = await handle.cgroup()
    if (cgroup === undefined) throw handle.withoutCgroup()
    const { id, directory, drivers } = handle
    const rdt = await changeOfClass({ id, directory, drivers, config: state.config }, intelRdt)
    const config = { ...changed(state.config, wanted), ...(rdt && { intelRdt: rdt.intelRdt }) }
    const { path: _, owner: __, checkBeforeUpdate: ___, devices, ...limits } = wanted
    const { refuseBelowUse = config.cgroups.checkBeforeUpdate } = options
    const next = { ...state, config }
    await handle.doing('cannot set the limits of', async () => {
      // Before the kernel is asked: what cannot be recorded is not done.
      const saved = await saveState(handle.directory, next)
      let undo: (() => Promise<void>) | undefined
      try {
        undo = await rdt?.make()
        await cgroup.set(devices === undefined ? limits : { ...limits, devices: deviceRules(devices) }, {
          refuseBelowUse,
        })
      } catch (error) {
        await undo?.()
        await saveState(handle.directory, state)
        throw error
      }
      handle.text = saved
    })
    handle.state = next
    handle.config = config
  })
}

/** The config with the limits of another: what is not given stays. @throws {ConfigInvalid} */
export function changed(config: ResolvedConfig, wanted: NonNullable<ContainerConfig['cgroups']>): ResolvedConfig {
  const before: ResolvedConfig['cgroups'] = config.cgroups
  if (wanted.path !== undefined && wanted.path !== before.path)
    throw new ConfigInvalid(
      'cgroups.path',
      wanted.path,
      `cannot change while the container lives: it is ${before.path}`,
    )
  if (wanted.owner !== undefined && wanted.owner !== before.owner)
    throw new ConfigInvalid('cgroups.owner', wanted.owner, 'cannot change while the container lives')
  // What is given, not what comes of it: a fault is told at the place that the caller knows.
  const problem = validateShape({ ...config, cgroups: wanted }).find(({ field }) => field.startsWith('cgroups'))
  if (problem !== undefined) throw problem
  return { ...config, cgroups: mergedLimits(before, wanted) }
}
