import { ConfigInvalid, POLLIN, type Program, pipe, poll, readFd, startProgram, type Waiting } from '@libcontainer/sys'
import { ENVIRONMENT } from './connection.js'
import { failure } from './failure.js'
import { type OpenImages, openForDump, openForRestore } from './images.js'
import type { ImageOptions, PageServer } from './options.js'
import { bareAddress, checkPageServer } from './page-server.js'
import { type Criu, criuPath } from './place.js'
import { version } from './version.js'

export interface ServerOptions extends ImageOptions, Waiting {
  readonly criu?: Criu | undefined
}

export interface PageServerOptions extends ServerOptions, PageServer {
  /** Frees the pages of an earlier image that come again. */
  readonly autoDedup?: boolean | undefined
}

export interface LazyPagesOptions extends ServerOptions {
  /** Where the pages come from: a dump with `lazyPages` and this `pageServer`. Default: from the images alone */
  readonly pageServer?: PageServer | undefined
}

/** A CRIU that serves pages to another: a child of this process, which ends when all is served. */
export class PagesServer implements AsyncDisposable {
  readonly #program: Program
  readonly #open: OpenImages
  readonly #what: 'page-server' | 'lazy-pages'

  constructor(program: Program, open: OpenImages, what: 'page-server' | 'lazy-pages') {
    this.#program = program
    this.#open = open
    this.#what = what
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Waits until it has served, and ended. @throws {CriuFailed} with CRIU's own cause */
  async wait(): Promise<void> {
    const { code } = await this.#program.wait()
    if (code !== 0) throw await failure(this.#what, this.#open, {})
  }

  /** Ends it, if it is not over yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
    this.#open.close()
  }
}

/**
 * Takes the pages of one dump or pre-dump whose `pageServer` this is, and writes them into `imagesDir`.
 *
 * @returns when it listens
 * @throws {CriuFailed} where it cannot listen there
 * @see criu(8), page-server
 */
export async function startPageServer(options: PageServerOptions): Promise<PagesServer> {
  checkPageServer(options, '')
  const { address, port, autoDedup, logFile = 'page-server.log' } = options
  const open = await openForDump(options, logFile, true)
  const words = ['--address', bareAddress(address), '--port', `${port}`, ...(autoDedup ? ['--auto-dedup'] : [])]
  return await start('page-server', words, options, open, logFile)
}

/**
 * Gives a tree its pages when it uses them, and the rest in between: for a restore with `lazyPages` and the same directories.
 *
 * @returns when a restore may begin
 * @see criu(8), lazy-pages
 */
export async function startLazyPages(options: LazyPagesOptions): Promise<PagesServer> {
  const { pageServer, logFile = 'lazy-pages.log' } = options
  if (pageServer !== undefined) checkPageServer(pageServer)
  const open = await openForRestore(options, logFile)
  const from =
    pageServer === undefined
      ? []
      : ['--page-server', '--address', bareAddress(pageServer.address), '--port', `${pageServer.port}`]
  return await start('lazy-pages', from, options, open, logFile)
}

/** The descriptors of the program behind its standard streams. */
const [STATUS, IMAGES, WORK] = [3, 4, 5]

async function start(
  what: 'page-server' | 'lazy-pages',
  words: readonly string[],
  { criu = {}, logLevel = 3, signal }: ServerOptions,
  open: OpenImages,
  logFile: string,
): Promise<PagesServer> {
  const status = pipe()
  try {
    if (criu.service !== undefined)
      throw new ConfigInvalid('criu.service', criu.service, 'must be a program here: criu.path')
    await version(criu)
    const place = ['-D', `/proc/self/fd/${IMAGES}`, '-W', `/proc/self/fd/${WORK}`, '-o', logFile, `-v${logLevel}`]
    const argv = [await criuPath(criu), what, ...place, '--status-fd', `${STATUS}`, ...words]
    const program = await startProgram({ steps: [] }, argv, {
      env: ENVIRONMENT,
      cwd: '/',
      stdio: 'null',
      extraFds: [status.write, open.images, open.work],
      signal,
    })
    status.write.close()
    await poll(status.read.fd, POLLIN, { signal })
    // Its end, without a byte before, is the program's.
    if ((await readFd(status.read.fd, new Uint8Array(1))) === 0) {
      await program.wait()
      throw await failure(what, open, {})
    }
    return new PagesServer(program, open, what)
  } catch (error) {
    open.close()
    throw error
  } finally {
    status.read.close()
    status.write.close()
  }
}
