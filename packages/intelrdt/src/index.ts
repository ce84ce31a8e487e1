export {
  checkClosId,
  checkIntelRdt,
  groupOf,
  type IntelRdt,
  schemataOf,
} from './config.js'
export {
  type ContainerGroup,
  claimGroup,
  containerGroup,
  type GroupPlan,
  planGroup,
  releaseGroup,
  statsOf,
} from './container-group.js'
export { type EventRdt, eventRdt } from './event.js'
export { features } from './features.js'
export { ResctrlGroup } from './group.js'
export type { BandwidthInfo, CacheInfo, MonitoringInfo, RdtInfo } from './info.js'
export { checkOffered } from './offered.js'
export { probe } from './probe.js'
export { Resctrl, type ResctrlOptions } from './resctrl.js'
export { formatSchemata, mergeSchemata, parseSchema, parseSchemata, type Schema, schemataProblem } from './schemata.js'
export type { DomainStats, RdtStats } from './stats.js'
