import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ContainerConfig,
  type DialectConfig,
  readConfig,
  writeConfig2015,
  writeConfig2026,
} from '@libcontainer/container'
import { parseJson, stringifyJson } from '@libcontainer/sys'
import { validateShape } from '../../packages/container/src/validate/shape.js'
import { documentOf, documentSeeds } from '../support/documents.js'
import { answer } from '../support/oracles.js'
import { planOf } from '../support/planned.js'

const samples = ['', '2014/', '2015/'].flatMap(folder => {
  const path = join(import.meta.dirname, '../../sample_configs', folder)
  return readdirSync(path)
    .filter(name => name.endsWith('.json'))
    .map(name => parseJson(readFileSync(join(path, name), 'utf8')))
})

/** Fields that no sample has. */
const full = {
  rootfs: '/rootfs',
  rootPropagation: 'rslave',
  namespaces: ['mnt', 'pid', 'uts', 'ipc', 'cgroup', { kind: 'net', path: '/proc/1/ns/net' }],
  mounts: [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=64k'] }],
  devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 438, uid: 0, gid: 0 }],
  maskedPaths: ['/proc/kcore'],
  readonlyPaths: ['/proc/sys'],
  capabilities: {
    bounding: ['CAP_KILL'],
    effective: ['CAP_KILL'],
    permitted: ['CAP_KILL'],
    inheritable: [],
    ambient: [],
  },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 10 }],
  scheduler: { policy: 'SCHED_BATCH', nice: 3 },
  ioPriority: { class: 'IOPRIO_CLASS_BE', level: 4 },
  cpuAffinity: { initial: '0-1', final: '1' },
  memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: [] },
  personality: 'LINUX',
  umask: 18,
  oomScoreAdj: 5,
  hooks: { prestart: [{ path: '/h', args: ['h'], env: ['A=1'], timeoutMs: 5 }], startContainer: [{ path: '/h' }] },
  labels: ['a=b'],
  sysctl: { 'kernel.shm_rmid_forced': '1' },
  cgroups: { path: '/a', memory: { max: 5 }, devices: [{ type: 'c', major: 1, minor: 3, access: 'rw', allow: true }] },
  process: {
    args: ['/bin/true'],
    env: ['A=b'],
    cwd: '/',
    user: { uid: 5, gid: 5 },
    additionalGroups: [7],
    terminal: false,
  },
}

const documents: readonly unknown[] = [full, ...samples]

/** Configs in the words of three years, and in our own: read, told in another's words, and planned, or refused by field. */
export function fuzz(data: Uint8Array): void {
  let value: unknown
  try {
    value = parseJson(documentOf(data, documents))
  } catch {
    return
  }
  const read = answer<DialectConfig>(() => readConfig(value, { rootfs: '/rootfs' }))
  if (read === undefined) return
  // A relative one is the command line's to resolve.
  const given = { ...read.config, rootfs: '/rootfs' }
  planOf(given, { args: ['/bin/true'], ...read.process })
  // Writers take what is sound.
  const config: ContainerConfig = { ...given, seccomp: null }
  if (validateShape(config).length > 0) return
  for (const write of [writeConfig2015, writeConfig2026]) {
    const written = answer(() => write({ config, process: read.process }))
    if (written !== undefined) answer(() => readConfig(parseJson(stringifyJson(written))))
  }
}

export const seeds = (): (string | Uint8Array)[] => documentSeeds(documents)
