import type { SetOptions } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from './config.js'
import { deviceRules } from './device-rules.js'
import type { Handle } from './handle.js'
import { plainCopy } from './plain-copy.js'
import type { ResolvedConfig } from './resolve.js'
import { saveState } from './state.js'
import { statusOf } from './status.js'
import { validateShape } from './validate-shape.js'

/** What `set` takes of a config: its limits. All else of a container stays as long as it lives. */
export type LimitsChange = Pick<ContainerConfig, 'cgroups'>

/** The change, or what makes one of the config as it is while nobody else can change it. */
export type LimitsRequest = LimitsChange | ((config: ResolvedConfig) => LimitsChange)

/** Changes limits of a live container: in the kernel, in its config and in its state; in all of them or in none. */
export async function setLimits(handle: Handle, change: LimitsRequest, options: SetOptions = {}): Promise<void> {
  const given = typeof change === 'function' ? undefined : plainCopy(change)
  await handle.locked(async text => {
    const state = handle.adopt(text)
    if (state === undefined || (await statusOf(state, handle.directory)) === 'stopped') throw handle.notRunning()
    const wanted =
      (given ?? plainCopy((change as (config: ResolvedConfig) => LimitsChange)(plainCopy(state.config)))).cgroups ?? {}
    const cgroup = await handle.cgroup()
    if (cgroup === undefined) throw handle.withoutCgroup()
    const config = changed(state.config, wanted)
    const { path: _, devices, ...limits } = wanted
    const next = { ...state, config }
    await handle.doing('cannot set the limits of', async () => {
      // Before the kernel is asked: what cannot be recorded is not done.
      const saved = await saveState(handle.directory, next)
      try {
        await cgroup.set(devices === undefined ? limits : { ...limits, devices: deviceRules(devices) }, options)
      } catch (error) {
        await saveState(handle.directory, state)
        throw error
      }
      handle.text = saved
    })
    handle.state = next
    handle.config = config
  })
}

/** The config with the limits of another: by controller, what is not given stays. @throws {ConfigInvalid} */
export function changed(config: ResolvedConfig, wanted: NonNullable<ContainerConfig['cgroups']>): ResolvedConfig {
  const before: ResolvedConfig['cgroups'] = config.cgroups
  if (wanted.path !== undefined && wanted.path !== before.path)
    throw new ConfigInvalid(
      'cgroups.path',
      wanted.path,
      `cannot change while the container lives: it is ${before.path}`,
    )
  const cgroups = Object.assign(Object.create(null), before)
  for (const [name, limits] of Object.entries(wanted)) {
    const mergeable = typeof limits === 'object' && limits !== null && !Array.isArray(limits)
    const old = (before as unknown as Record<string, unknown>)[name]
    cgroups[name] = mergeable ? Object.assign(Object.create(null), old, limits) : limits
  }
  const problem = validateShape({ ...config, cgroups }).find(({ field }) => field.startsWith('cgroups'))
  if (problem !== undefined) throw problem
  return { ...config, cgroups }
}
