import { bool, int32, type MessageOf, nested, repeated, required, string, uint32, words } from './protobuf.js'

// The messages of CRIU's RPC, by its own names and numbers: images/rpc.proto of CRIU.

export const reqTypes = {
  EMPTY: 0,
  DUMP: 1,
  RESTORE: 2,
  CHECK: 3,
  PRE_DUMP: 4,
  PAGE_SERVER: 5,
  NOTIFY: 6,
  FEATURE_CHECK: 9,
  VERSION: 10,
  PAGE_SERVER_CHLD: 12,
  SINGLE_PRE_DUMP: 13,
} as const

export const cgModes = { ignore: 0, none: 1, props: 2, soft: 3, full: 4, strict: 5, default: 6 } as const
export const preDumpModes = { splice: 1, read: 2 } as const
export const networkLocks = { iptables: 1, nftables: 2, skip: 3 } as const

const pageServerInfo = { address: string(1), port: int32(2), pid: int32(3), fd: int32(4) }
const vethPair = { ifIn: required(string(1)), ifOut: required(string(2)) }
const extMountMap = { key: required(string(1)), val: required(string(2)) }
const joinNamespace = { ns: required(string(1)), nsFile: required(string(2)), extraOpt: string(3) }
const inheritFd = { key: required(string(1)), fd: required(int32(2)) }
const cgroupRoot = { ctrl: string(1), path: required(string(2)) }
const unixSk = { inode: required(uint32(1)) }

/** criu_opts. */
export const criuOpts = {
  imagesDirFd: required(int32(1)),
  pid: int32(2),
  leaveRunning: bool(3),
  extUnixSk: bool(4),
  tcpEstablished: bool(5),
  evasiveDevices: bool(6),
  shellJob: bool(7),
  fileLocks: bool(8),
  logLevel: int32(9),
  logFile: string(10),
  ps: nested(11, pageServerInfo),
  notifyScripts: bool(12),
  root: string(13),
  parentImg: string(14),
  trackMem: bool(15),
  autoDedup: bool(16),
  workDirFd: int32(17),
  linkRemap: bool(18),
  veths: repeated(nested(19, vethPair)),
  cpuCap: uint32(20),
  forceIrmap: bool(21),
  extMnt: repeated(nested(23, extMountMap)),
  manageCgroups: bool(24),
  cgRoot: repeated(nested(25, cgroupRoot)),
  rstSibling: bool(26),
  inheritFd: repeated(nested(27, inheritFd)),
  autoExtMnt: bool(28),
  extSharing: bool(29),
  extMasters: bool(30),
  skipMnt: repeated(string(31)),
  enableFs: repeated(string(32)),
  unixSkIno: repeated(nested(33, unixSk)),
  manageCgroupsMode: words(34, cgModes),
  ghostLimit: uint32(35),
  irmapScanPaths: repeated(string(36)),
  external: repeated(string(37)),
  emptyNs: uint32(38),
  joinNs: repeated(nested(39, joinNamespace)),
  cgroupProps: string(41),
  cgroupPropsFile: string(42),
  cgroupDumpController: repeated(string(43)),
  freezeCgroup: string(44),
  timeout: uint32(45),
  tcpSkipInFlight: bool(46),
  weakSysctls: bool(47),
  lazyPages: bool(48),
  statusFd: int32(49),
  orphanPtsMaster: bool(50),
  configFile: string(51),
  tcpClose: bool(52),
  lsmProfile: string(53),
  tlsCacert: string(54),
  tlsCacrl: string(55),
  tlsCert: string(56),
  tlsKey: string(57),
  tls: bool(58),
  tlsNoCnVerify: bool(59),
  cgroupYard: string(60),
  preDumpMode: words(61, preDumpModes),
  lsmMountContext: string(63),
  networkLock: words(64, networkLocks),
  mntnsCompatMode: bool(65),
  skipFileRwxCheck: bool(66),
  unprivileged: bool(67),
  leaveStopped: bool(69),
}

const criuFeatures = { memTrack: bool(1), lazyPages: bool(2), pidfdStore: bool(3) }

const criuVersion = {
  majorNumber: required(int32(1)),
  minorNumber: required(int32(2)),
  gitid: string(3),
  sublevel: int32(4),
  extra: int32(5),
  name: string(6),
}

/** criu_req. */
export const criuReq = {
  type: required(words(1, reqTypes)),
  opts: nested(2, criuOpts),
  notifySuccess: bool(3),
  keepOpen: bool(4),
  features: nested(5, criuFeatures),
  pid: uint32(6),
}

/** criu_resp. */
export const criuResp = {
  type: required(words(1, reqTypes)),
  success: required(bool(2)),
  dump: nested(3, { restored: bool(1) }),
  restore: nested(4, { pid: required(int32(1)) }),
  notify: nested(5, { script: string(1), pid: int32(2) }),
  ps: nested(6, pageServerInfo),
  crErrno: int32(7),
  features: nested(8, criuFeatures),
  crErrmsg: string(9),
  version: nested(10, criuVersion),
  status: int32(11),
}

export type CriuOpts = MessageOf<typeof criuOpts>
export type CriuReq = MessageOf<typeof criuReq>
export type CriuResp = MessageOf<typeof criuResp>
