import type { CriuOpts } from './messages.js'
import type { DumpOptions, PreDumpOptions, RestoreOptions, TreeOptions } from './options.js'
import { bareAddress } from './page-server.js'
import type { RunOptions } from './run.js'

/** CLONE_NEWNET: the one namespace that CRIU makes empty. */
const CLONE_NEWNET = 0x40000000
/** The first descriptor of CRIU behind its socket. */
const FIRST_FD = 4

/** Descriptors of this process, which CRIU opens again. */
export interface Directories {
  readonly imagesDirFd: number
  readonly workDirFd?: number | undefined
}

/** What dump and restore have in common, as criu_opts. Pure. */
function treeOpts(options: TreeOptions, logFile: string): Omit<CriuOpts, 'imagesDirFd'> {
  const { imagesDir: _, workDir: __, emptyNs, tls, logLevel = 3, ...same } = options
  return {
    logFile,
    ...same,
    logLevel,
    emptyNs: emptyNs?.includes('net') ? CLONE_NEWNET : undefined,
    // The older form of the same: of the modes this is all that CRIU before 2.0 knew.
    manageCgroups: same.manageCgroupsMode === undefined ? undefined : same.manageCgroupsMode !== 'ignore',
    tls: tls === undefined ? undefined : true,
    tlsCacert: tls?.cacert,
    tlsCacrl: tls?.cacrl,
    tlsCert: tls?.cert,
    tlsKey: tls?.key,
    tlsNoCnVerify: tls?.noCnVerify,
    notifyScripts: true,
  }
}

/** criu_opts of a pre-dump. Pure. */
export function preDumpOpts(options: PreDumpOptions, directories: Directories): CriuOpts {
  return { ...imageOpts(options, 'pre-dump.log'), ...directories, trackMem: options.trackMem ?? true }
}

/** criu_opts of a dump. Pure. */
export function dumpOpts(options: DumpOptions, directories: Directories): CriuOpts {
  const { statusFd, unixSkIno, ...rest } = options
  return {
    ...imageOpts(rest, 'dump.log'),
    ...directories,
    trackMem: options.trackMem ?? (options.parentImg === undefined ? undefined : true),
    statusFd: typeof statusFd === 'object' ? statusFd.fd : statusFd,
    unixSkIno: unixSkIno?.map(inode => ({ inode })),
  }
}

function imageOpts(options: PreDumpOptions, logFile: string): Omit<CriuOpts, 'imagesDirFd'> {
  const { pageServer, overwrite: _, ...rest } = options
  const ps = pageServer === undefined ? undefined : { address: bareAddress(pageServer.address), port: pageServer.port }
  return { ...treeOpts(rest, logFile), ps }
}

/** criu_opts of a restore. Pure. */
export function restoreOpts(
  options: RestoreOptions,
  directories: Directories,
  { inheritFds = [], criu }: RunOptions = {},
): CriuOpts {
  const { rstSibling = criu?.service === undefined, ...rest } = options
  return {
    ...treeOpts(rest, 'restore.log'),
    ...directories,
    rstSibling: rstSibling || undefined,
    inheritFd: inheritFds.map(({ key }, i) => ({ key, fd: FIRST_FD + i })),
  }
}
