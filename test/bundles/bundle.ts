import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { busyboxRootfs, cgroupsNamed, quoted, temporaryDirectory } from '../support/index.js'

/** Bundles whose config.json a tool has made, with the name of the tool; see README.md for how. */
export const makers = ['runc', 'umoci', 'podman', 'docker'] as const
export type Maker = (typeof makers)[number]

const parent = `bundles-${process.pid}`

const here = fileURLToPath(new URL('./', import.meta.url))

/** What a program in the container wrote: lines by section. */
export type Report = ReadonlyMap<string, readonly string[]>

export interface Outcome {
  readonly status: number | null
  readonly report: Report
  /** What a hook got on its standard input, if there is one. */
  readonly hook: string | undefined
  /** What the runtime left in its state root. */
  readonly left: readonly string[]
}

/** A bundle in a directory of its own: the config as it was made, but for where things lie. */
export class Bundle implements Disposable {
  readonly #place = temporaryDirectory('bundle-')
  readonly id: string
  readonly path: string
  readonly terminal: boolean

  constructor(maker: Maker) {
    this.id = `bundles-${maker}-${process.pid}`
    this.path = join(this.#place.path, 'bundle')
    const files = join(this.path, 'files')
    mkdirSync(join(files, 'data'), { recursive: true })
    mkdirSync(join(files, 'shm'), { mode: 0o1777 })
    for (const name of ['hostname', 'hosts', 'resolv.conf', '.containerenv'])
      writeFileSync(join(files, name), `${name} of the bundle\n`)
    writeFileSync(join(files, 'hook'), `#!/bin/sh\ncat > ${files}/hook-state\n`, { mode: 0o755 })
    const text = readFileSync(join(here, `${maker}.json`), 'utf8')
      .replaceAll('@BUNDLE@', this.path)
      .replaceAll('@PARENT@', parent)
      .replaceAll('@ID@', this.id)
    writeFileSync(join(this.path, 'config.json'), text)
    this.terminal = (JSON.parse(text) as { process: { terminal?: boolean } }).process.terminal === true
    this.#fill()
  }

  /** The root filesystem: busybox, and the report as its shell. */
  #fill(): void {
    const rootfs = join(this.path, 'rootfs')
    spawnSync('cp', ['-a', busyboxRootfs(), rootfs])
    for (const path of [
      'etc/hostname',
      'etc/hosts',
      'etc/resolv.conf',
      'data',
      'scratch',
      'run/.containerenv',
      'bin/sh',
    ])
      rmSync(join(rootfs, path), { recursive: true, force: true })
    writeFileSync(join(rootfs, 'bin/sh'), readFileSync(join(here, 'report.sh')))
    chmodSync(join(rootfs, 'bin/sh'), 0o755)
    mkdirSync(join(rootfs, 'scratch'))
    writeFileSync(join(rootfs, 'scratch/of-the-image'), '')
  }

  /** Runs it in the foreground by a runtime that takes runc's command line. A program that wants a terminal is run at one. */
  run(runtime: readonly string[]): Outcome {
    const state = join(this.#place.path, 'state')
    const command = [...runtime, '--root', state, 'run', '--bundle', this.path, this.id]
    const words = this.terminal ? ['script', '-qec', command.map(quoted).join(' '), '/dev/null'] : command
    // On one processor alone, so that it shows which ones a container may use.
    const { status, stdout, stderr } = spawnSync('taskset', ['--cpu-list', '0', ...words], {
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // The end of input, as script(1) types it, is echoed.
    const text = stdout.replaceAll('\r\n', '\n').replaceAll('^@', '')
    if (!text.includes('== end\n')) throw new Error(`${command.join(' ')}: status ${status}: ${text}${stderr}`)
    const hook = join(this.path, 'files/hook-state')
    return {
      status,
      report: sections(text),
      hook: existsSync(hook) ? readFileSync(hook, 'utf8') : undefined,
      left: existsSync(state)
        ? spawnSync('find', [state, '-mindepth', '1'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
        : [],
    }
  }

  /** Also the parent of the container's cgroup, which is the engine's to make and to remove. */
  [Symbol.dispose](): void {
    for (const path of cgroupsNamed(new RegExp(`^/${parent}$`))) rmdirSync(path)
    this.#place[Symbol.dispose]()
  }
}

/** What a program wrote, by section. */
export function sections(text: string): Report {
  const report = new Map<string, string[]>()
  for (const part of text.split(/^== /m).slice(1)) {
    const [name = '', ...lines] = part.split('\n')
    report.set(
      name,
      lines.filter(Boolean).map(line => comparable(name, line)),
    )
  }
  return report
}

/** A line without what differs from one run to the next: numbers that the kernel gives out. */
function comparable(section: string, line: string): string {
  if (section === 'mounts') return mount(line)
  if (section === 'namespaces') return namespace(line)
  return line.replace(/(pipe|socket|anon_inode):\[\d+\]/, '$1:[…]')
}

/** A line of mountinfo: ids are counted, and minor numbers of devices are handed out. */
function mount(line: string): string {
  const [, , device = '', root = '', point = '', options = '', ...rest] = line.split(' ')
  const dash = rest.indexOf('-')
  const peers = rest.slice(0, dash).map(field => field.replace(/\d+/, '…'))
  return [device.replace(/^0:\d+/, '0:…'), root, point, options, ...peers, ...rest.slice(dash)].join(' ')
}

/** Which namespaces are the host's is what matters, and not their numbers. */
function namespace(line: string): string {
  const [name = '', value = ''] = line.split(': ')
  return `${name}: ${value === readlinkSync(`/proc/self/ns/${name}`) ? "the host's" : 'its own'}`
}
