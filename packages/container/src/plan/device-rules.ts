import { DEFAULT_RULES, DENY_ALL, type DeviceRule, deviceRule, type RuleRequest } from '@libcontainer/devices'

/** The device rules of a container: nothing, then its own, then what every container may use. */
export function deviceRules(own: readonly RuleRequest[] = []): DeviceRule[] {
  return [DENY_ALL, ...own.map((rule, i) => deviceRule(rule, `cgroups.devices[${i}]`)), ...DEFAULT_RULES]
}
