export type * from './acts.js'
export { type AppliedNetworks, type ApplyOptions, applyNetworks } from './apply.js'
export { type BridgeRequest, ensureBridge } from './bridge.js'
export * from './classic.js'
export * from './config.js'
export {
  type DnsFiles,
  type HostEntry,
  hostsText,
  parseResolvConf,
  type ResolvConf,
  resolvConfText,
  type WrittenDnsFiles,
  writeDnsFiles,
} from './dns.js'
export { features } from './features.js'
export { confirmHelper, endHelper, findHelper, type RunningHelper, startHelper } from './helper.js'
export { type Helper, type HelperRequest, helperDirectories, pastaArguments, slirpArguments } from './helper-command.js'
export { type HostLinks, lookUp, needsNoLookUp } from './look-up.js'
export {
  expectedOf,
  type KeptAddress,
  type LentDevice,
  type MadeInside,
  type MadeNetworks,
  type MadePair,
} from './made.js'
export { type NamespaceWithPairs, namespaceWithPairs, preparePairs } from './pair.js'
export { type NetworkPlan, planAttach, planDetach, planNetworks, type Random } from './plan.js'
export { setAttached } from './ports.js'
export { probe } from './probe.js'
export { strategyOf } from './registry.js'
export { type ReleaseOptions, releaseNetworks } from './release.js'
export { type PartedActs, partActs, type Setting, settingStep } from './settings.js'
export { Side, type Wanted } from './side.js'
export { type InterfaceStats, interfaceStats, statsOf } from './stats.js'
