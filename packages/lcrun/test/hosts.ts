import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  busyboxRootfs,
  hostsOf,
  type Result,
  Running,
  type TestHost,
  until,
  Workplace,
} from '../../../test/support/index.js'

export { Running, type TestHost, until }

export const { hosts, either } = hostsOf('lcrun')

const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount'].map(type => ({ type }))
const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

/** A config.json on the busybox root filesystem that runs `args`; `more` replaces whole parts of it. */
export function specOf(
  args: readonly string[],
  more: { process?: object; linux?: object; [part: string]: unknown } = {},
) {
  const { process, linux, ...rest } = more
  return {
    ociVersion: '1.0.2',
    root: { path: busyboxRootfs(), readonly: true },
    hostname: 'bundle',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] },
    ],
    ...rest,
    process: {
      args,
      cwd: '/',
      env: ['PATH=/bin:/usr/bin:/sbin', 'OWN=of the config'],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      ...process,
    },
    linux: { namespaces, ...linux },
  }
}

/** A bundle and a state root, both of the test's own. */
export class Bundle extends Workplace {
  readonly #pidFile = join(this.outside, 'pid')

  constructor(host: TestHost, spec: unknown = specOf(['/bin/true'])) {
    super(host, 'lcrun')
    this.write(spec)
  }

  /** Replaces config.json. */
  write(spec: unknown): void {
    writeFileSync(this.file('config.json'), typeof spec === 'string' ? spec : JSON.stringify(spec))
  }

  /** Makes a container without holding its streams: a pipe would stay open as long as it lives. */
  detached(args: readonly string[]): Result {
    const path = join(this.outside, 'stderr')
    const file = openSync(path, 'w')
    try {
      const { status } = this.run(args, { stdio: ['ignore', 'ignore', file] })
      return { status, stdout: '', stderr: readFileSync(path, 'utf8') }
    } finally {
      closeSync(file)
    }
  }

  /** Makes and starts a container that sleeps, or goes on as long by another spec. */
  sleeping(id = this.id, spec: unknown = specOf(['/bin/sleep', '1000'])): void {
    this.write(spec)
    const { status, stderr } = this.detached(['run', '--detach', '--pid-file', this.#pidFile, id])
    if (status !== 0 || stderr !== '') throw new Error(`run exited with ${status}: ${stderr}`)
  }

  /** Of the first process of the last that was made so. */
  get pid(): number {
    return Number(readFileSync(this.#pidFile, 'utf8'))
  }

  state(id = this.id): Record<string, unknown> | undefined {
    const { status, stdout } = this.run(['state', id])
    return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined
  }

  async stopped(id = this.id): Promise<void> {
    await until(`the end of ${id}`, () => this.state(id)?.status === 'stopped')
  }

  /** The directories of containers. */
  left(): string[] {
    return this.states()
  }

  protected override clean(): void {
    for (const id of this.left()) this.run(['delete', '--force', id])
  }
}
