import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Answer, type Part, until } from './part.js'

/** What a node keeps to itself: its state of engines and of the runtime, and its logs. */
const script = `
set -e
hostname "$2"
for place in run var/lib var/log; do
  mkdir -p "$1/$place"
  mount --bind "$1/$place" "/$place"
done
mkdir -m 1777 -p /run/lock
echo ready
exec sleep infinity
`

/**
 * A machine among others: a network, UTS and mount namespace on a bridge, kept by a process. Cgroups are those of the host, and pids those of the test's
 * machine.
 */
export class Node {
  readonly name: string
  readonly address: string
  readonly #part: Part
  readonly #keeper: ChildProcess

  private constructor(part: Part, name: string, address: string, keeper: ChildProcess) {
    this.#part = part
    this.name = name
    this.address = address
    this.#keeper = keeper
  }

  /** So many nodes, each of which reaches the others by their names. */
  static async several(part: Part, count: number): Promise<Node[]> {
    part.run(['ip', 'link', 'add', 'nodes0', 'type', 'bridge'])
    part.run(['ip', 'link', 'set', 'nodes0', 'up'])
    const nodes: Node[] = []
    for (let i = 1; i <= count; i++) nodes.push(await Node.#create(part, i))
    return nodes
  }

  static async #create(part: Part, i: number): Promise<Node> {
    const [name, address] = [`node${i}`, `10.9.0.${i}`]
    const place = join(part.path, name)
    mkdirSync(place)
    const namespaces = ['--net', '--uts', '--mount', '--propagation', 'private']
    const keeper = spawn('unshare', [...namespaces, 'sh', '-c', script, 'node', place, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve, reject) => {
      keeper.stdout?.once('data', resolve)
      keeper.once('exit', code => reject(new Error(`${name}: exit code ${code}`)))
    })
    const node = new Node(part, name, address, keeper)
    // The machine's /etc is a copy, which its nodes share.
    appendFileSync('/etc/hosts', `${address} ${name}\n`)
    part.run(['ip', 'link', 'add', `veth${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(keeper.pid)])
    part.run(['ip', 'link', 'set', `veth${i}`, 'master', 'nodes0', 'up'])
    node.run(['ip', 'address', 'add', `${address}/24`, 'dev', 'eth0'])
    for (const link of ['lo', 'eth0']) node.run(['ip', 'link', 'set', link, 'up'])
    return node
  }

  #enter(command: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.#keeper.pid), '--net', '--uts', '--mount', '--', ...command]
  }

  try(command: readonly string[]): Answer {
    return this.#part.try(this.#enter(command))
  }

  run(command: readonly string[]): string {
    return this.#part.run(this.#enter(command))
  }

  /** Starts a program that stays: see Part.daemon. */
  daemon(name: string, command: readonly string[]): ChildProcess {
    // nsenter becomes the program, so that a signal for it reaches that.
    return this.#part.daemon(`${this.name}-${name}`, this.#enter(command))
  }

  async ready(daemon: string, command: readonly string[]): Promise<void> {
    const answers = () => this.try(command).status === 0
    await until(`${daemon} of ${this.name} answers`, answers, () => this.#part.log(`${this.name}-${daemon}`))
  }

  /** The node's end: its links go with its network namespace. */
  end(): void {
    this.#keeper.kill('SIGKILL')
  }

  /** The end of all nodes and of what was between them. */
  static endAll(part: Part, nodes: readonly Node[]): void {
    for (const node of nodes) node.end()
    part.run(['ip', 'link', 'delete', 'nodes0'])
  }
}
