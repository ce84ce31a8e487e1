import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lackOfReach } from './requires.js'
import { busyboxRootfs } from './rootfs.js'
import { slowness } from './slowness.js'
import { temporaryDirectory } from './temporary-directory.js'

const top = fileURLToPath(new URL('../../', import.meta.url))

/** An ordinary user's uid and gid, which nobody else has here. */
const ID = 61234
const NAME = 'lctest'

export interface OrdinaryUserOptions {
  /** Lends it this many ids from 1000000 on, for newuidmap and newgidmap. Default: none. */
  readonly subIds?: number
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly cwd?: string
  /** A directory of cgroup2 to be in. */
  readonly cgroup?: string | undefined
  /** Shell commands that root runs in the mount namespace first. */
  readonly before?: string
}

/**
 * Somebody without privileges, with a name in a passwd of its own, and copies of the executable, of the busybox root filesystem and, where the
 * work tree is closed to it, of all packages. Nothing of the host is changed: its files of users are bound over
 * in a mount namespace. Needs root.
 */
export class OrdinaryUser implements Disposable {
  readonly uid = ID
  readonly name = NAME
  readonly #place = temporaryDirectory('user-')
  readonly #children: ChildProcess[] = []
  /** Absolute, mode 755. */
  readonly path = this.#place.path
  /** Where node_modules is that it may read. */
  readonly #packages = lackOfReach(top) === undefined ? top : this.path
  /** Its own directory, mode 700. */
  readonly home = join(this.path, 'home')
  /** XDG_RUNTIME_DIR. */
  readonly runtime = join(this.path, 'runtime')
  readonly rootfs = join(this.path, 'rootfs')
  readonly executable = join(this.path, 'nsinit')

  constructor({ subIds = 0 }: OrdinaryUserOptions = {}) {
    chmodSync(this.path, 0o755)
    for (const own of [this.home, this.runtime]) {
      mkdirSync(own, { mode: 0o700 })
      chownSync(own, ID, ID)
    }
    if (this.#packages !== top) this.#copyPackages()
    // Without nodes of devices, which a container of somebody else's may have in it for a moment.
    const isKept = (path: string): boolean => !path.startsWith(join(busyboxRootfs(), 'dev/'))
    cpSync(busyboxRootfs(), this.rootfs, { recursive: true, verbatimSymlinks: true, filter: isKept })
    const executable = join(top, 'bundles/nsinit')
    if (existsSync(executable)) copyFileSync(executable, this.executable)
    const line = (file: string, text: string): void =>
      writeFileSync(join(this.path, file), `${readFileSync(`/etc/${file}`, 'utf8')}${text}\n`)
    line('passwd', `${NAME}:x:${ID}:${ID}::${this.home}:/bin/sh`)
    line('group', `${NAME}:x:${ID}:`)
    const lent = subIds === 0 ? '' : `${NAME}:1000000:${subIds}\n`
    for (const file of ['subuid', 'subgid']) writeFileSync(join(this.path, file), lent)
  }

  /** The main module of a package, or a path in it. */
  module(name: string, file = 'dist/index.js'): string {
    return join(this.#packages, 'node_modules', name, file)
  }

  #copyPackages(): void {
    for (const folder of readdirSync(join(top, 'packages'))) {
      const from = join(top, 'packages', folder)
      if (!existsSync(join(from, 'dist'))) continue
      const { name } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { name: string }
      const to = join(this.path, 'node_modules', name)
      mkdirSync(to, { recursive: true })
      for (const part of ['package.json', 'dist', 'prebuilds', `build/Release/${folder}.node`]) {
        if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true })
      }
    }
  }

  #command(command: readonly string[], { cgroup, before = '' }: RunOptions): string[] {
    const files = ['passwd', 'group', 'subuid', 'subgid']
    const script = [
      'set -e',
      // Only a file that is there can be bound over.
      ...files.map(file => `[ ! -e /etc/${file} ] || mount --bind "${this.path}/${file}" /etc/${file}`),
      ...(cgroup === undefined ? [] : [`echo $$ > "${cgroup}/cgroup.procs"`]),
      before,
      `exec setpriv --reuid ${ID} --regid ${ID} --clear-groups --inh-caps=-all -- "$@"`,
    ]
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script.join('\n'), 'sh', ...command]
  }

  #environment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.home, USER: NAME, XDG_RUNTIME_DIR: this.runtime, ...env }
  }

  /** Runs a program as this user, to its end. */
  run(command: readonly string[], options: RunOptions = {}): SpawnSyncReturns<string> {
    const [first, ...rest] = this.#command(command, options)
    return spawnSync(first!, rest, {
      cwd: options.cwd ?? this.home,
      env: this.#environment(options.env),
      input: options.input ?? '',
      encoding: 'utf8',
      timeout: 60_000 * slowness,
    })
  }

  /** Starts one, which is killed at the end of the test if it still runs. */
  start(command: readonly string[], options: RunOptions = {}): ChildProcess {
    const [first, ...rest] = this.#command(command, options)
    const child = spawn(first!, rest, { cwd: options.cwd ?? this.home, env: this.#environment(options.env) })
    this.#children.push(child)
    return child
  }

  /** Runs a JavaScript module's text by Node.js, with the packages beside it; answers what it prints as JSON. */
  evaluate<T = unknown>(text: string, options: RunOptions = {}): T {
    const file = join(this.path, 'program.mjs')
    writeFileSync(file, text)
    const { status, stdout, stderr } = this.run([process.execPath, file], options)
    if (status !== 0) throw new Error(`exit code ${status}: ${stdout}${stderr}`)
    return JSON.parse(stdout) as T
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    this.#place[Symbol.dispose]()
  }
}
