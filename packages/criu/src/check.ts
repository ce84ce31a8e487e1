import { ConfigInvalid, isDescriptor, isErrno, kernelString, stat } from '@libcontainer/sys'
import type { DumpOptions, ImageOptions, PreDumpOptions, RestoreOptions, TreeOptions } from './options.js'
import type { RunOptions } from './run.js'

/** Refuses a pre-dump that cannot be meant, before anything is touched. */
export async function checkPreDump(options: PreDumpOptions, run: RunOptions): Promise<void> {
  checkTree(options, run)
  if (!Number.isInteger(options.pid) || options.pid < 1)
    throw new ConfigInvalid('pid', options.pid, 'must be that of a process')
  const { pageServer, parentImg, imagesDir } = options
  if (pageServer !== undefined) checkPageServer(pageServer)
  if (parentImg !== undefined) await checkParent(parentImg, imagesDir)
}

/** Refuses a dump that cannot be meant, before anything is touched. */
export async function checkDump(options: DumpOptions, run: RunOptions): Promise<void> {
  await checkPreDump(options, run)
  const { leaveRunning, leaveStopped } = options
  if (leaveRunning && leaveStopped)
    throw new ConfigInvalid('leaveStopped', leaveStopped, 'must not be said together with leaveRunning')
}

/** Refuses a restore that cannot be meant, before anything is touched. */
export async function checkRestore(options: RestoreOptions, run: RunOptions): Promise<void> {
  checkTree(options, run)
}

function checkTree(options: TreeOptions, { inheritFds = [] }: RunOptions): void {
  checkImages(options)
  for (const [i, { key, fd }] of inheritFds.entries()) {
    kernelString(key, `inheritFds[${i}].key`)
    if (!isDescriptor(fd)) throw new ConfigInvalid(`inheritFds[${i}].fd`, fd, 'must be a descriptor')
  }
}

function checkImages({ imagesDir, workDir, logFile }: ImageOptions): void {
  if (kernelString(imagesDir, 'imagesDir') === '') throw new ConfigInvalid('imagesDir', imagesDir, 'must be a path')
  if (workDir !== undefined && kernelString(workDir, 'workDir') === '')
    throw new ConfigInvalid('workDir', workDir, 'must be a path')
  if (logFile !== undefined && (logFile === '' || kernelString(logFile, 'logFile').includes('/')))
    throw new ConfigInvalid('logFile', logFile, 'must be a name without a slash')
}

function checkPageServer({ address, port }: { readonly address: string; readonly port: number }): void {
  if (kernelString(address, 'pageServer.address') === '')
    throw new ConfigInvalid('pageServer.address', address, 'must be an address')
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new ConfigInvalid('pageServer.port', port, 'must be a port from 1 to 65535')
}

async function checkParent(parentImg: string, imagesDir: string): Promise<void> {
  if (kernelString(parentImg, 'parentImg') === '' || parentImg.startsWith('/'))
    throw new ConfigInvalid('parentImg', parentImg, 'must be relative to imagesDir, as CRIU keeps it in a link')
  let type: string
  try {
    // By the letters alone where imagesDir is not there yet, and else as CRIU will walk it.
    type = (await stat(`${imagesDir}/${parentImg}`)).type
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ConfigInvalid(
      'parentImg',
      parentImg,
      `must be the directory of an earlier pre-dump, seen from ${imagesDir}`,
    )
  }
  if (type !== 'directory')
    throw new ConfigInvalid('parentImg', parentImg, 'must be the directory of an earlier pre-dump, and is a file')
}
