import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { requires, type TestNeeds } from './requires.js'

/** A way to run one of our command lines. */
export interface TestHost {
  readonly name: 'Node.js' | 'the executable'
  readonly command: readonly [string, ...string[]]
  /** Of a test that runs containers: a busy machine takes a second for each start of Node.js. */
  readonly needs: TestNeeds & { timeout: number }
  /** Of a test that only asks the command line. */
  readonly asks: TestNeeds & { timeout: number }
}

const timeout = 120_000
const path = (place: string): string => fileURLToPath(new URL(`../../${place}`, import.meta.url))

/**
 * Both ways to run a command line.
 *
 * A test of what a host does runs on both: streams, descriptors, terminals, signals, waiting. What both do by the same lines is tested on
 * `either` alone: the executable, which starts in a hundredth of the time, or Node.js where it is not built.
 */
export function hostsOf(program: 'nsinit' | 'lcrun'): { hosts: readonly TestHost[]; either: readonly TestHost[] } {
  const executable = path(`bundles/${program}`)
  const hosts: readonly TestHost[] = [
    {
      name: 'Node.js',
      command: [process.execPath, path(`packages/${program}/dist/node/main.js`)],
      needs: { ...requires('root', 'rootfs'), timeout },
      asks: { ...requires(), timeout },
    },
    {
      name: 'the executable',
      command: [executable],
      needs: { ...requires('root', 'rootfs', `file:${executable}`), timeout },
      asks: { ...requires(`file:${executable}`), timeout },
    },
  ]
  return { hosts, either: existsSync(executable) ? hosts.slice(1) : hosts.slice(0, 1) }
}
