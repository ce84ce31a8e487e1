import { type ContainerConfig, type ProcessSpec, validate } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { plainCopy } from '../src/config/plain-copy.js'
import { planMounts } from '../src/plan/mounts.js'
import { planSandbox } from '../src/sandbox/plan.js'
import { checkedProcess } from '../src/validate/process.js'

/* Somebody hands on what others have chosen: whatever stands at any place, the answer is a refusal that names a field, or no refusal. */

const ids = [{ containerId: 0, hostId: 100000, size: 65536 }]

const config = (rootfs: string): ContainerConfig => ({
  rootfs,
  rootOverlay: { temporary: true },
  namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user', 'time'],
  uidMappings: ids,
  gidMappings: ids,
  timeOffsets: { monotonic: { secs: 5, nanosecs: 3 } },
  hostname: 'h',
  networks: [{ type: 'loopback', mtu: 1500 }],
  mounts: [
    { destination: '/proc', type: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
    { destination: '/mnt', source: '/tmp', type: 'bind', options: ['rbind'], uidMappings: ids, gidMappings: ids },
    { destination: '/t', type: 'tmpfs', premountCommands: [{ path: '/bin/true', args: ['true'], env: ['A=b'] }] },
  ],
  files: [
    { path: '/etc/x', content: 'a', mode: 0o600, uid: 1 },
    { path: '/etc/l', target: '/x' },
  ],
  devices: [{ path: '/dev/zero', type: 'c', major: 1, minor: 5, mode: 0o666 }],
  cgroups: { memory: { max: 1e9 }, unified: { 'memory.high': '1000000' }, cpuset: { cpus: '0' } },
  capabilities: ['CAP_KILL'],
  seccomp: {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['ptrace'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }],
  },
  disableUserNamespaces: true,
  maskedPaths: ['/proc/kcore'],
  sysctl: { 'net.ipv4.ip_forward': '1' },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
  procFiles: { timerslack_ns: 5 },
  cpuAffinity: { initial: '0' },
  landlock: { paths: [{ path: '/', allow: ['execute'] }] },
  hooks: { prestart: [{ path: '/bin/true', args: ['t'], timeoutMs: 1 }] },
  labels: ['a=b'],
})

const process: ProcessSpec = {
  args: ['/bin/true'],
  env: ['A=b'],
  user: { uid: 0, gid: 0 },
  additionalGroups: [1, 'x'],
  terminal: { rows: 1, columns: 2 },
  subCgroupPaths: { '': 'x' },
  extraFds: [],
  capabilities: { bounding: ['CAP_KILL'] },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
  scheduler: { policy: 'SCHED_OTHER', nice: 1 },
}

const sandbox = {
  ro: ['/usr', { source: '/a', destination: '/b' }],
  tmpfs: ['/t'],
  files: [{ path: '/x', content: 'y' }],
  mounts: [{ destination: '/m', type: 'tmpfs' }],
  share: ['net'],
}
const host = { rootfs: '/srv', uid: 0, gid: 0, links: [], mountPoints: [], networkFiles: [] }

function nested(depth: number, around: (inner: unknown) => unknown): unknown {
  let value: unknown
  for (let i = 0; i < depth; i++) value = around(value)
  return value
}
const itself: Record<string, unknown> = {}
itself.again = itself
const bare: unknown = Object.create(null)
const numbers = [Number.NaN, 1e21, -1, 2n ** 70n]
const texts = ['', 'a\0b', '\ud800', '__proto__', 'x'.repeat(20_000)]
const others = [null, true, Symbol('x'), () => 1, new Uint8Array(3)]
const holders = [{}, [null], [undefined], [bare], new Array(2 ** 32 - 1), JSON.parse('{"__proto__":1}')]
const endless = [itself, nested(2e4, inner => [inner]), nested(2e4, inner => ({ inner }))]
const hostile: readonly unknown[] = [...numbers, ...texts, ...others, bare, ...holders, ...endless]

type Place = readonly string[]

function* placesIn(value: unknown, place: Place = []): Generator<Place> {
  if (place.length > 0) yield place
  if (typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) yield* placesIn(each, [...place, name])
}

function withValue<T>(original: T, place: Place, value: unknown): T {
  const copy = structuredClone(original)
  let at = copy as Record<string, unknown>
  for (const name of place.slice(0, -1)) at = at[name] as Record<string, unknown>
  at[place.at(-1)!] = value
  return copy
}

const each = <T>(original: T): { readonly place: string; readonly value: T }[] =>
  [...placesIn(original)].flatMap(place =>
    hostile.map(value => ({ place: place.join('.'), value: withValue(original, place, value) })),
  )

/** What is wrong with a refusal itself. */
const oddOf = (error: unknown): string[] => {
  const { code, field, stack } = error as Error & { code?: string; field?: string }
  return code === 'ConfigInvalid' && field ? [] : [String(stack)]
}

test('EV-199 EV-198 whatever stands at any place of a config, validate names a field', async () => {
  using directory = temporaryDirectory('hostile-')
  const odd = new Set<string>()
  for (const { place, value } of each(config(directory.path))) {
    const problems = await validate(value).catch((error: unknown) => [error])
    for (const error of problems) for (const text of oddOf(error)) odd.add(`${place}: ${text}`)
    // What is found to be sound is understood by who plans it, too.
    if (problems.length > 0 || !place.startsWith('mounts')) continue
    try {
      planMounts(plainCopy(value).mounts ?? [], { cgroups: { mounts: [] } } as never, undefined, undefined)
    } catch (error) {
      for (const text of oddOf(error)) odd.add(`${place}: ${text}`)
    }
  }
  expect([...odd]).toEqual([])
}, 120_000)

test('EV-199 EV-198 so do a process and a sandbox', () => {
  const odd = new Set<string>()
  const look = <T>(original: T, check: (value: T) => unknown): void => {
    for (const { place, value } of each(original)) {
      try {
        check(value)
      } catch (error) {
        for (const text of oddOf(error)) odd.add(`${place}: ${text}`)
      }
    }
  }
  look(process, checkedProcess)
  look(sandbox, options => planSandbox(plainCopy(options) as never, host as never))
  expect([...odd]).toEqual([])
})
