export { type CriuFeatures, checkFeatures, requireFeatures } from './check-features.js'
export { type DumpResult, dump, preDump } from './dump.js'
export { CriuFailed, CriuMissingFeatures, CriuTooOld } from './errors.js'
export { features } from './features.js'
export { type ImageMount, parseMounts, readMounts } from './image-mounts.js'
export { confirmImages, imageSize } from './images.js'
export { type Log, type LogLine, type Phase, parseLog } from './log.js'
export { offersNftables } from './network-lock.js'
export type {
  CgroupMode,
  DumpOptions,
  ImageOptions,
  NetworkLock,
  PageServer,
  PreDumpOptions,
  RestoreOptions,
  Tls,
  TreeOptions,
} from './options.js'
export { parsePageServer } from './page-server.js'
export { type Criu, findCriu } from './place.js'
export { probe } from './probe.js'
export { type RestoreResult, restore } from './restore.js'
export type { Notification, NotifyCallback, NotifyName, RunOptions } from './run.js'
export {
  type LazyPagesOptions,
  type PageServerOptions,
  PagesServer,
  type ServerOptions,
  startLazyPages,
  startPageServer,
} from './server.js'
export { type DumpStats, parseStats, type RestoreStats, type Stats } from './stats.js'
export { atLeast, type CriuVersion, parseVersion, version } from './version.js'
