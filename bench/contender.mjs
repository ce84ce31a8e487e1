// Those who take part: each is a process that is given orders a line at a time, and answers a line.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { top } from '../scripts/quietly.mjs'
import { dockerProfile, environment, oci, ours, volumesOf } from './config.mjs'
import { versionOf, which } from './find.mjs'

const sleeper = ['/bin/sleep', '100000']

/** A process that answers orders. */
export class Worker {
  #child
  #waiting = []
  #errors = ''
  #ended

  constructor(command, options = {}) {
    this.#child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], ...options })
    this.#child.stderr.on('data', chunk => {
      this.#errors += chunk
    })
    createInterface({ input: this.#child.stdout }).on('line', line => this.#waiting.shift()?.resolve(line))
    const ended = () => {
      this.#ended = new Error(`${command.join(' ')} ended: ${this.#errors}`)
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
    }
    this.#child.on('error', ended)
    this.#child.stdin.on('error', () => {})
    this.#child.on('close', ended)
  }

  get pid() {
    return this.#child.pid
  }

  async ask(order) {
    if (this.#ended !== undefined) throw this.#ended
    const line = await new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${order}\n`)
    })
    if (line.startsWith('error ')) throw new Error(line.slice(6))
    return line
  }

  async close() {
    if (this.#child.exitCode !== null) return
    const closed = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stdin.end()
    await closed
  }
}

/** The lines of api.mjs and the program in test/go/bench; `bundle` tells what they know a container by. */
export class Library {
  #worker
  #bundle

  constructor(name, { command, bundle = seccomp => seccomp }) {
    this.name = name
    this.#worker = new Worker(command)
    this.#bundle = bundle
  }

  run = async seccomp => Number(await this.#worker.ask(`run ${this.#bundle(seccomp)}`))
  hold = async () => void (await this.#worker.ask(`hold ${this.#bundle('held')}`))
  exec = async () => Number(await this.#worker.ask('exec /bin/true'))
  create = async () => Number(await this.#worker.ask(`create ${this.#bundle('created')}`))
  crowd = async count => void (await this.#worker.ask(`crowd ${count}`))
  remove = async () => void (await this.#worker.ask('remove'))
  close = async () => await this.#worker.close()
}

/** Bundles of OCI: one for each profile of /bin/true, and those that stay. */
export function makeBundles(directory, { rootfs, prefix }) {
  const volumes = join(directory, 'volume')
  mkdirSync(volumes, { recursive: true })
  const bundles = {
    none: {},
    default: { seccomp: 'default' },
    docker: { seccomp: dockerProfile() },
    engine: { seccomp: 'default', volumes: volumesOf(volumes, 30) },
    binds: { volumes: volumesOf(volumes, 51) },
    held: { args: sleeper },
    created: { args: sleeper },
    crowd: { args: sleeper, shared: true },
  }
  for (const [name, { seccomp = 'none', args = ['/bin/true'], shared, ...more }] of Object.entries(bundles)) {
    // Of a bundle that many are made of, each is in the cgroup of its id.
    const cgroup = shared ? undefined : `/${prefix}-${name}`
    mkdirSync(join(directory, name), { recursive: true })
    const config = oci({ rootfs, cgroup, seccomp, args, ...more })
    writeFileSync(join(directory, name, 'config.json'), JSON.stringify(config, null, 2))
  }
  return name => join(directory, name)
}

/** lcrun, crun or runc: the same command line. `before` is what the timing process is started through. */
export class Runtime {
  #worker
  #program
  #root
  #bundle
  #errors
  #prefix
  #before
  #made = []

  constructor(name, { program, directory, timed, rootfs, prefix, before = [] }) {
    this.name = name
    this.#program = program
    this.#root = join(directory, 'state')
    this.#errors = join(directory, 'errors')
    this.#prefix = prefix
    this.#before = before
    this.#bundle = makeBundles(directory, { rootfs, prefix })
    this.#worker = new Worker([...before, timed, this.#errors])
  }

  /** Nanoseconds, and the most kilobytes that were resident. */
  async #measured(...args) {
    const answer = await this.#worker.ask(['/', this.#program, '--root', this.#root, ...args].join('\t'))
    const [ns, status, kilobytes] = answer.split(' ').map(Number)
    if (status === 0) return { ns, kilobytes }
    const errors = existsSync(this.#errors) ? readFileSync(this.#errors, 'utf8') : ''
    throw new Error(`${this.#program} ${args.join(' ')}: status ${status}: ${errors.trim()}`)
  }

  #command = async (...args) => (await this.#measured(...args)).ns

  run = async profile => await this.#command('run', '--bundle', this.#bundle(profile), 'run')

  async hold() {
    this.#made.push('held')
    await this.#command('run', '--detach', '--bundle', this.#bundle('held'), 'held')
  }

  exec = async () => await this.#command('exec', 'held', '/bin/true')
  state = async () => await this.#command('state', 'held')
  /** A signal that nobody heeds. */
  kill = async () => await this.#command('kill', 'held', 'WINCH')
  list = async () => await this.#command('list')

  async create() {
    this.#made.push('created')
    const file = join(this.#bundle('created'), 'pid')
    await this.#command('create', '--pid-file', file, '--bundle', this.#bundle('created'), 'created')
    return Number(readFileSync(file, 'utf8'))
  }

  /** The three commands of an engine, without what passes between them. */
  async lifecycle() {
    const file = join(this.#bundle('none'), 'pid')
    const create = await this.#command('create', '--pid-file', file, '--bundle', this.#bundle('none'), 'short')
    const start = await this.#command('start', 'short')
    await ended(Number(readFileSync(file, 'utf8')))
    return create + start + (await this.#command('delete', 'short'))
  }

  /** One more container that stays. */
  async detach() {
    const id = `${this.#prefix}-${this.#made.length}`
    this.#made.push(id)
    return await this.#command('run', '--detach', '--bundle', this.#bundle('crowd'), id)
  }

  /** Ends and removes the last one, at once. */
  deleteLast = async () => await this.#command('delete', '--force', this.#made.pop())

  /** The most that a command holds. */
  commandMemory = async () => (await this.#measured('state', 'held')).kilobytes

  /** What is held for a container in the foreground, apart from the container. */
  async waitingMemory() {
    const [first, ...rest] = [...this.#before, this.#program]
    const args = [...rest, '--root', this.#root, 'run', '--bundle', this.#bundle('held'), 'waiting']
    const child = spawn(first, args, { stdio: 'ignore' })
    try {
      await running(() => this.#command('state', 'waiting'))
      await sleep(500)
      return resident(child.pid)
    } finally {
      // Which removes it: a `delete` beside it finds it gone at times.
      await this.#command('kill', 'waiting', 'KILL')
      if (child.exitCode === null) await new Promise(resolve => child.once('close', resolve))
    }
  }

  async remove() {
    while (this.#made.length > 0) await this.deleteLast()
  }

  close = async () => await this.#worker.close()
}

/** lcrun, crun and runc, as far as they are there; for the others a line that says how to get them. */
export function gatherRuntimes({ directory, timed, rootfs, prefix }) {
  const contenders = []
  const versions = {}
  const lcrun = join(top, 'bundles/lcrun')
  // crun refuses a hybrid host: it is given a mount namespace in which the unified hierarchy is not there.
  const hybrid = existsSync('/sys/fs/cgroup/unified/cgroup.procs')
  const hide = ['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified && exec "$0" "$@"']
  for (const [name, before] of [
    ['lcrun', []],
    ['crun', hybrid ? hide : []],
    ['runc', []],
  ]) {
    const program = name === 'lcrun' && existsSync(lcrun) ? lcrun : which(name)
    if (program === undefined && name === 'lcrun') continue
    if (program === undefined) {
      console.error(`bench: without ${name}: apt-get install -y --no-install-recommends ${name}`)
      continue
    }
    versions[name] = versionOf(program)
    const place = join(directory, name)
    contenders.push(
      new Runtime(name, { program, directory: place, timed, rootfs, prefix: `${prefix}-${name}`, before }),
    )
  }
  return { contenders, versions }
}

/** Resident memory of a process, in kB. */
export function resident(pid) {
  return Number(/^Rss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])
}

/** Until a process is gone, or waits for its parent to take note. */
async function ended(pid) {
  for (;;) {
    try {
      if (/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return
    } catch {
      return
    }
    await sleep(1)
  }
}

async function running(ask) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 50) throw error
    }
    await sleep(20)
  }
}

/** The static executable: a container.json for each profile, and `exec` beside it. */
export class CommandLine {
  #worker
  #program
  #directory
  #errors

  constructor(name, { program, directory, timed, rootfs, prefix }) {
    this.name = name
    this.#program = program
    this.#directory = directory
    this.#errors = join(directory, 'errors')
    for (const seccomp of ['none', 'default']) {
      const config = ours({ rootfs, cgroup: `/${prefix}-${seccomp}`, seccomp })
      const process = { args: ['/bin/true'], env: [...environment, 'HOME=/root'], user: { uid: 0, gid: 0 } }
      mkdirSync(join(directory, seccomp), { recursive: true })
      writeFileSync(join(directory, seccomp, 'container.json'), JSON.stringify({ ...config, process }, null, 2))
    }
    this.#worker = new Worker([timed, this.#errors])
  }

  async run(seccomp) {
    const order = [join(this.#directory, seccomp), this.#program, '--root', join(this.#directory, 'state'), 'exec']
    const [ns, status] = (await this.#worker.ask(order.join('\t'))).split(' ').map(Number)
    if (status === 0) return ns
    throw new Error(`${this.#program}: status ${status}: ${readFileSync(this.#errors, 'utf8').trim()}`)
  }

  close = async () => await this.#worker.close()
}
