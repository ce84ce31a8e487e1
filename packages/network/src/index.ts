export type * from './acts.js'
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
export { type NetworkPlan, planAttach, planDetach, planNetworks, type Random } from './plan.js'
export { probe } from './probe.js'
export { strategyOf } from './registry.js'
export { type Topology, type TopologyLink, type TopologyNode, topologySvg } from './topology-svg.js'
