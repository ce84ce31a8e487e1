import { OCI_CAPABILITIES, resolveCapabilities } from '@libcontainer/capabilities'
import { type ContainerConfig, defaultMaskedPaths, defaultReadonlyPaths } from '@libcontainer/container'
import { DEFAULT_RULES, DEFAULT_SIMPLE_DEVICES, DENY_ALL, device, deviceRule } from '@libcontainer/devices'
import { defaultMounts, parseMountOptions } from '@libcontainer/mount'
import { signalNumber } from '@libcontainer/sys'
import { namespacesOf } from '../../src/config/namespace-requests.js'
import { limitValue } from '../../src/validate/shape.js'

/** What a config means, however it is said: two that mean the same are equal in it. */
export function meaning(config: ContainerConfig): object {
  const {
    capabilities = OCI_CAPABILITIES,
    namespaces: _,
    mounts,
    devices,
    cgroups = {},
    rlimits = [],
    ...rest
  } = config
  const { seccomp, maskedPaths, readonlyPaths, parentDeathSignal, readonlyRootfs, rootPropagation, ...others } = rest
  return {
    ...others,
    namespaces: namespacesOf(config)
      .map(({ kind, path }) => `${kind} ${path}`)
      .sort(),
    mounts: (mounts ?? defaultMounts).map(({ destination, type, source, options = [] }) => {
      const { data, flags, ...parsed } = parseMountOptions(options)
      const bind = type === 'bind' || (flags & 4096) !== 0
      const cleared = bind ? parsed.cleared : 0
      const set = {
        ...parsed,
        cleared,
        flags: bind ? flags | 4096 : flags,
        data: data.join(),
        extensions: [...parsed.extensions],
      }
      return { destination, type: bind ? 'bind' : type, source: source ?? '', ...set }
    }),
    devices: (devices ?? DEFAULT_SIMPLE_DEVICES).map(each => device(each)),
    cgroups: { ...cgroups, devices: policy(cgroups.devices) },
    capabilities:
      capabilities && resolveCapabilities('length' in capabilities ? three(capabilities) : capabilities).masks,
    rlimits: rlimits.map(({ type, soft, hard }) => ({ type, soft: limitValue(soft, ''), hard: limitValue(hard, '') })),
    seccomp,
    maskedPaths: [...(maskedPaths ?? defaultMaskedPaths)].sort(),
    readonlyPaths: [...(readonlyPaths ?? defaultReadonlyPaths)].sort(),
    signal: parentDeathSignal === undefined ? 0 : signalNumber(parentDeathSignal, 'parentDeathSignal'),
    readonlyRootfs: readonlyRootfs ?? false,
    rootPropagation: rootPropagation ?? 'rslave',
  }
}

const three = (list: readonly string[]): object => ({ bounding: list, effective: list, permitted: list })

/** What may be done with each device that any rule names, and with one that none does. */
function policy(
  own: ContainerConfig['cgroups'] extends infer T ? (T extends { devices?: infer D } ? D : never) : never,
): object {
  const rules = [DENY_ALL, ...(own ?? []).map(rule => deviceRule(rule)), ...DEFAULT_RULES]
  const asked = new Set(['c 999:999', 'b 999:999'])
  for (const { type, major = 999, minor = 999 } of rules)
    for (const letter of type === 'a' ? ['c', 'b'] : [type]) asked.add(`${letter} ${major}:${minor}`)
  const verdict = (name: string, letter: string): boolean => {
    const [type, numbers = ''] = name.split(' ')
    const [major, minor] = numbers.split(':').map(Number)
    const last = rules.findLast(
      rule =>
        (rule.type === 'a' || rule.type === type) &&
        (rule.major === undefined || rule.major === major) &&
        (rule.minor === undefined || rule.minor === minor) &&
        rule.access.includes(letter),
    )
    return last?.allow ?? false
  }
  return Object.fromEntries(
    [...asked].sort().map(name => [name, [...'rwm'].filter(letter => verdict(name, letter)).join('')]),
  )
}
