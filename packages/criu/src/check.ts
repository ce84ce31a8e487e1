import {
  ConfigInvalid,
  cleanPath,
  descriptorFlags,
  exists,
  ids,
  isDescriptor,
  isErrno,
  kernelString,
  type OwnedFd,
  processStat,
  SyscallError,
  stat,
} from '@libcontainer/sys'
import { checkExternal, checkExtMnt } from './external.js'
import { type CriuOpts, criuOpts } from './messages.js'
import type { DumpOptions, ImageOptions, PreDumpOptions, RestoreOptions, TreeOptions } from './options.js'
import { checkPageServer } from './page-server.js'
import { encodeMessage } from './protobuf.js'
import { dumpOpts, preDumpOpts, restoreOpts } from './request.js'
import type { RunOptions } from './run.js'

const ESRCH = -3
const O_ACCMODE = 3
const NOWHERE = { imagesDirFd: 0 }

/** Refuses a pre-dump that cannot be meant, before anything is touched. */
export async function checkPreDump(options: PreDumpOptions, run: RunOptions): Promise<void> {
  checkImageTree(options, run)
  checkOpts(preDumpOpts(options, NOWHERE))
  await checkParent(options)
  await checkConfigFile(options)
  await checkProcess(options.pid)
}

/** Refuses a dump that cannot be meant, before anything is touched. */
export async function checkDump(options: DumpOptions, run: RunOptions): Promise<void> {
  const { leaveRunning, leaveStopped, lazyPages, pageServer, statusFd } = options
  checkImageTree(options, run)
  if (statusFd !== undefined) await checkStatusFd(statusFd)
  checkOpts(dumpOpts(options, NOWHERE))
  if (leaveRunning && leaveStopped)
    throw new ConfigInvalid('leaveStopped', leaveStopped, 'must not be said together with leaveRunning')
  if (lazyPages && pageServer === undefined)
    throw new ConfigInvalid('pageServer', pageServer, 'must be there with lazyPages: the pages are asked for there')
  await checkParent(options)
  await checkConfigFile(options)
  await checkProcess(options.pid)
}

/** Refuses a restore that cannot be meant, before anything is touched. */
export async function checkRestore(options: RestoreOptions, run: RunOptions): Promise<void> {
  checkTree(options, run)
  checkExtMnt(options.extMnt, { cookie: 'key' })
  checkOpts(restoreOpts(options, NOWHERE, run))
  await checkConfigFile(options)
  const { criu, inheritFds = [] } = run
  if (criu?.service === undefined) return
  if (options.rstSibling)
    throw new ConfigInvalid('rstSibling', true, 'must not be said to a service: its child it will be')
  if (inheritFds.length > 0) throw new ConfigInvalid('inheritFds', inheritFds.length, 'must be none for a service')
}

function checkImageTree(options: PreDumpOptions, run: RunOptions): void {
  checkTree(options, run)
  checkExtMnt(options.extMnt, { cookie: 'both' })
  const { pid, pageServer } = options
  if (!Number.isInteger(pid) || pid < 1 || pid > 2 ** 22)
    throw new ConfigInvalid('pid', pid, 'must be that of a process')
  if (pageServer !== undefined) checkPageServer(pageServer)
}

function checkTree(options: TreeOptions, { inheritFds = [] }: RunOptions): void {
  checkImages(options)
  const { emptyNs = [], external = [] } = options
  for (const [i, kind] of emptyNs.entries())
    if (kind !== 'net') throw new ConfigInvalid(`emptyNs[${i}]`, kind, 'must be net: CRIU makes no other kind empty')
  for (const [i, word] of external.entries()) checkExternal(word, `external[${i}]`)
  for (const [i, { key, fd }] of inheritFds.entries()) {
    if (kernelString(key, `inheritFds[${i}].key`) === '')
      throw new ConfigInvalid(`inheritFds[${i}].key`, key, 'must be what the dump said of the file')
    if (!isDescriptor(fd)) throw new ConfigInvalid(`inheritFds[${i}].fd`, fd, 'must be a descriptor')
  }
}

function checkImages({ imagesDir, workDir, logFile, logLevel }: ImageOptions): void {
  if (kernelString(imagesDir, 'imagesDir') === '') throw new ConfigInvalid('imagesDir', imagesDir, 'must be a path')
  if (workDir !== undefined && kernelString(workDir, 'workDir') === '')
    throw new ConfigInvalid('workDir', workDir, 'must be a path')
  if (logFile !== undefined && (kernelString(logFile, 'logFile').includes('/') || /^\.{0,2}$/.test(logFile)))
    throw new ConfigInvalid('logFile', logFile, 'must be a name without a slash')
  if (logLevel !== undefined && !(Number.isInteger(logLevel) && logLevel >= 1 && logLevel <= 4))
    throw new ConfigInvalid('logLevel', logLevel, 'must be 1, 2, 3 or 4')
}

/** Each option by its name and type: those of the message are the options, but for a few. */
function checkOpts(opts: CriuOpts): void {
  for (const [name, value] of Object.entries(opts))
    if (value !== undefined && !Object.hasOwn(criuOpts, name))
      throw new ConfigInvalid(name, value, 'is no option of CRIU')
  encodeMessage(criuOpts, opts)
}

/** One that is there, and does not have this one below it. */
async function checkProcess(pid: number): Promise<void> {
  const state = (await processStat(pid))?.state
  if (state === undefined || state === 'Z' || state === 'X')
    throw new SyscallError(ESRCH, 'ptrace', { path: String(pid), hint: 'there is no such process, or it has ended' })
  for (let self = ids().pid; self > 0; self = (await processStat(self))?.parent ?? 0)
    if (self === pid) throw new ConfigInvalid('pid', pid, 'must not have this process in its tree: CRIU would be in it')
}

async function checkParent({ parentImg, imagesDir }: PreDumpOptions): Promise<void> {
  if (parentImg === undefined) return
  if (kernelString(parentImg, 'parentImg') === '' || parentImg.startsWith('/'))
    throw new ConfigInvalid('parentImg', parentImg, 'must be relative to imagesDir: CRIU keeps it as a link')
  // What is not there yet has no links in it.
  const path = `${imagesDir}/${parentImg}`
  let type: string
  try {
    type = (await stat((await exists(imagesDir)) ? path : cleanPath(path))).type
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ConfigInvalid('parentImg', parentImg, `must be the directory of an earlier pre-dump, seen from imagesDir`)
  }
  if (type !== 'directory')
    throw new ConfigInvalid('parentImg', parentImg, 'must be the directory of an earlier pre-dump, and is none')
}

/** CRIU has a working directory of its own, and passes over a file that is not there. */
async function checkConfigFile({ configFile }: TreeOptions): Promise<void> {
  if (configFile === undefined) return
  if (!kernelString(configFile, 'configFile').startsWith('/'))
    throw new ConfigInvalid('configFile', configFile, 'must be an absolute path')
  if (!(await exists(configFile))) throw new ConfigInvalid('configFile', configFile, 'must be a file that is there')
}

/** One that CRIU can write to. */
async function checkStatusFd(statusFd: number | OwnedFd): Promise<void> {
  if (!isDescriptor(statusFd)) throw new ConfigInvalid('statusFd', statusFd, 'must be a descriptor')
  const fd = typeof statusFd === 'number' ? statusFd : statusFd.fd
  const flags = await descriptorFlags(fd)
  if (flags === undefined) throw new ConfigInvalid('statusFd', fd, 'must be open')
  if ((flags & O_ACCMODE) === 0)
    throw new ConfigInvalid('statusFd', fd, 'must be open for writing, and is for reading alone')
  if ((await stat(`/proc/self/fd/${fd}`)).type === 'socket')
    throw new ConfigInvalid(
      'statusFd',
      fd,
      'must be a pipe or a file: CRIU opens it anew, which the kernel does for no socket',
    )
}
