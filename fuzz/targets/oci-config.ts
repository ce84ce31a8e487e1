import {
  exampleSpec,
  parseMounts,
  parseProcess,
  parseResources,
  parseSpec,
  type Spec,
  toContainerConfig,
  toRootless,
} from '@libcontainer/oci'
import { stringifyJson } from '@libcontainer/sys'
import { answer, same, textOf } from '../support/oracles.js'
import { planOf } from '../support/planned.js'

/** config.json: what is read is the same when it is written and read again, and can be planned or is refused by field. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const spec = answer(() => parseSpec(text))
  for (const read of [parseProcess, parseResources, parseMounts]) {
    const value = answer(() => read(text))
    if (value !== undefined) same(read(stringifyJson(value)), value, 'a part written and read again')
  }
  if (spec === undefined) return
  same(parseSpec(stringifyJson(spec)), spec, 'written and read again')
  for (const cgroupDriver of ['cgroupfs', 'systemd'] as const) {
    const found = answer(() => toContainerConfig(spec, { id: 'fuzz', bundle: '/bundle', cgroupDriver }))
    if (found !== undefined) planOf(found.config, found.process)
  }
}

export function seeds(): string[] {
  const example = exampleSpec()
  const changed = (linux: object, rest: object = {}): Spec =>
    ({ ...example, ...rest, linux: { ...example.linux, ...linux } }) as Spec
  return [
    example,
    exampleSpec({ cgroup2: true }),
    toRootless(example, { uid: 1000, gid: 1000 }),
    changed({
      devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 }],
      resources: {
        memory: { limit: 1 << 20, swap: -1 },
        cpu: { shares: 2, cpus: '0-1', quota: -1 },
        pids: { limit: 5 },
        unified: { 'memory.high': 'max' },
      },
      sysctl: { 'net.ipv4.ip_forward': '1' },
      timeOffsets: { monotonic: { secs: 5, nanosecs: 1 } },
      rootfsPropagation: 'slave',
      personality: { domain: 'LINUX32' },
    }),
    {
      ociVersion: '1.0.2',
      root: { path: 'r' },
      process: { args: ['a'], cwd: '/', rlimits: [{ type: 'RLIMIT_NOFILE', hard: 18446744073709551615n, soft: 5 }] },
    },
    {
      ...example,
      hooks: { prestart: [{ path: '/h', timeout: 5 }] },
      annotations: { 'run.oci.keep_original_groups': '1' },
      hostname: 'x',
    },
    example.process,
    changed({}).linux?.resources,
    example.mounts,
  ].map(value => stringifyJson(value))
}
