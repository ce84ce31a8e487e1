import {
  type Device,
  type DeviceRequest,
  type DeviceRule,
  deviceRule,
  deviceSteps,
  formatRule,
  device as parse,
  type RuleRequest,
  removeDeviceSteps,
  ruleOf,
} from '@libcontainer/devices'
import { openTree, unmountStep } from '@libcontainer/mount'
import { isErrno, type OwnedFd, slot } from '@libcontainer/sys'
import { plainCopy } from '../config/plain-copy.js'
import type { Handle } from '../handle.js'
import { type Act, inside } from './live-mounts.js'
import { setLimits } from './set.js'

/** Devices in a running container, nodes and the rules that let them be opened: all of them, or none. */
export async function addDevices(handle: Handle, given: readonly DeviceRequest[]): Promise<void> {
  const devices = checked(given)
  const made: Device[] = []
  try {
    await inside(handle, 'cannot make devices in', async act => {
      for (const device of devices) if (await addNode(handle, act, device)) made.unshift(device)
    })
    // Last: until then nobody can open them.
    await changeRules(handle, rules => [...rules, ...rulesOf(devices)])
  } catch (error) {
    if (made.length > 0) await removeNodes(handle, made).catch(() => {})
    throw error
  }
}

/** Takes devices away again: first the rules, so that a node that stays cannot be opened any more either. */
export async function removeDevices(handle: Handle, given: readonly DeviceRequest[]): Promise<void> {
  const devices = checked(given)
  await changeRules(handle, rules => rulesOf(devices).reduce(withoutLast, rules))
  await removeNodes(handle, devices)
}

const checked = (given: readonly DeviceRequest[]): Device[] =>
  plainCopy(given, 'devices').map((request, i) => parse(request, `devices[${i}]`))

/** @returns whether it is ours: a node that was there already stays when the others are taken back */
async function addNode(handle: Handle, act: Act, device: Device): Promise<boolean> {
  const tree = await hostNode(device)
  // In a user namespace no node that is made can be opened.
  const mapped = handle.config.namespaces.some(({ kind }) => kind === 'user')
  const bind = tree === undefined ? 'never' : mapped ? 'always' : 'fallback'
  const make = async (exclusive: boolean): Promise<void> => {
    const trees = tree && new Map([[0, slot('tree')]])
    await act(deviceSteps(slot('root'), [device], { bind, trees, exclusive }), tree && { tree: tree.fd })
  }
  try {
    await make(true)
    return true
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    await make(false)
    return false
  } finally {
    tree?.close()
  }
}

/** The node of the host, taken where its path means what the caller means; `undefined` where there is none. */
async function hostNode({ type, path, source = path }: Device): Promise<OwnedFd | undefined> {
  if (type === 'p') return undefined
  try {
    return await openTree(source, { follow: false })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EPERM')) throw error
    return undefined
  }
}

async function removeNodes(handle: Handle, devices: readonly Device[]): Promise<void> {
  const steps = removeDeviceSteps(slot('root'), devices, { unmount: unmountStep })
  await inside(handle, 'cannot remove devices from', act => act(steps))
}

/** No rule is about a FIFO. */
const rulesOf = (devices: readonly Device[]): DeviceRule[] =>
  devices.filter(({ type }) => type !== 'p').map(device => ruleOf(device))

type Rules = readonly RuleRequest[]

/** The rules without the last that is this one: what else allows the device goes on doing so. */
function withoutLast(rules: Rules, wanted: DeviceRule): Rules {
  const at = rules.findLastIndex(rule => rule.allow && formatRule(deviceRule(rule)) === formatRule(wanted))
  return at < 0 ? rules : rules.toSpliced(at, 1)
}

/** Where no rules hold, in an ordinary user's container and in one without a cgroup, there are none to change. */
async function changeRules(handle: Handle, change: (rules: Rules) => Rules): Promise<void> {
  const state = await handle.reload()
  if (state !== undefined && (state.rootless || Object.keys(state.cgroup_paths).length === 0)) return
  await setLimits(handle, ({ cgroups: { devices = [] } }) => ({ cgroups: { devices: change(devices) } }))
}
