// Those who take part: each is a process that is given orders a line at a time, and answers a line.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { environment, oci, ours } from './config.mjs'

/** A process that answers orders. */
class Worker {
  #child
  #waiting = []
  #errors = ''

  constructor(command, options = {}) {
    this.#child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], ...options })
    this.#child.stderr.on('data', chunk => {
      this.#errors += chunk
    })
    createInterface({ input: this.#child.stdout }).on('line', line => this.#waiting.shift()?.resolve(line))
    const ended = () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${command[0]} ended: ${this.#errors}`))
    }
    this.#child.on('error', ended)
    this.#child.on('close', ended)
  }

  async ask(order) {
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

/** The lines of api.mjs and go/main.go; `bundle` tells what they know a container by. */
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
  const names = { none: 'true', default: 'true', held: 'sleep 100000', created: 'sleep 100000' }
  for (const [name, program] of Object.entries(names)) {
    const [first, ...rest] = program.split(' ')
    const config = oci({
      rootfs,
      cgroup: `/${prefix}-${name}`,
      seccomp: name === 'default' ? 'default' : 'none',
      args: [`/bin/${first}`, ...rest],
    })
    mkdirSync(join(directory, name), { recursive: true })
    writeFileSync(join(directory, name, 'config.json'), JSON.stringify(config, null, 2))
  }
  return name => join(directory, name)
}

/** crun or runc: the same command line. `before` is what the timing process is started through. */
export class Runtime {
  #worker
  #program
  #root
  #bundle
  #errors
  #made = []

  constructor(name, { program, directory, timed, rootfs, prefix, before = [] }) {
    this.name = name
    this.#program = program
    this.#root = join(directory, 'state')
    this.#errors = join(directory, 'errors')
    this.#bundle = makeBundles(directory, { rootfs, prefix })
    this.#worker = new Worker([...before, timed, this.#errors])
  }

  async #command(...args) {
    const answer = await this.#worker.ask(['/', this.#program, '--root', this.#root, ...args].join('\t'))
    const [ns, status] = answer.split(' ').map(Number)
    if (status === 0) return ns
    const errors = existsSync(this.#errors) ? readFileSync(this.#errors, 'utf8') : ''
    throw new Error(`${this.#program} ${args.join(' ')}: status ${status}: ${errors.trim()}`)
  }

  run = async seccomp => await this.#command('run', '--bundle', this.#bundle(seccomp), 'run')

  async hold() {
    this.#made.push('held')
    await this.#command('run', '--detach', '--bundle', this.#bundle('held'), 'held')
  }

  exec = async () => await this.#command('exec', 'held', '/bin/true')

  async create() {
    this.#made.push('created')
    const file = join(this.#bundle('created'), 'pid')
    await this.#command('create', '--pid-file', file, '--bundle', this.#bundle('created'), 'created')
    return Number(readFileSync(file, 'utf8'))
  }

  async remove() {
    for (const id of this.#made.splice(0)) await this.#command('delete', '--force', id)
  }

  close = async () => await this.#worker.close()
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
