import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import {
  busyboxRootfs,
  cgroupsNamed,
  hostsOf,
  Running,
  type TestHost,
  until,
  Workplace,
} from '../../../test/support/index.js'

export { Running, type TestHost, until }

export const { hosts, either } = hostsOf('nsinit')

/** A directory with a container.json, and a state root, both of the test's own. */
export class Bench extends Workplace {
  constructor(host: TestHost, config: object | null = {}) {
    super(host, 'nsinit')
    chmodSync(this.outside, 0o755)
    if (config !== null) this.write({ rootfs: busyboxRootfs(), ...config })
  }

  /** Replaces container.json. */
  write(config: unknown): void {
    writeFileSync(this.file('container.json'), typeof config === 'string' ? config : JSON.stringify(config))
  }

  /** The state, once the container runs. */
  async running(status = 'running'): Promise<Record<string, unknown>> {
    return await until(`a container that is ${status}`, () => {
      const { stdout } = this.run(['state'])
      const state = stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
      return state.status === status ? state : undefined
    })
  }

  /** What is left of containers: the files of the state root, state.json, and cgroups. */
  left(): string[] {
    const copies = readdirSync(this.path).filter(name => name.includes('state.json'))
    return [...this.states(), ...copies, ...cgroupsNamed(new RegExp(`/libcontainer-${this.id}-|/nsinit/${this.id}`))]
  }

  protected override clean(): void {
    if (this.left().length === 0) return
    const { stdout } = this.run(['state'])
    if (stdout !== '') {
      this.run(['unpause'])
      try {
        process.kill(JSON.parse(stdout).init_process_pid, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
    this.write({ rootfs: busyboxRootfs() })
    // The first ones may still find it dying.
    for (let tries = 0; tries < 20 && this.left().length > 0; tries++) this.run(['exec', '/bin/true'])
  }
}
