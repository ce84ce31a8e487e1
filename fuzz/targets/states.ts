import { resolveConfig, writeConfig2015, writeConfig2026 } from '@libcontainer/container'
import { stringifyJson } from '@libcontainer/sys'
import { parseHead } from '../../packages/container/src/state/overview.js'
import { namespacePaths, parseState } from '../../packages/container/src/state/state.js'
import { documentOf, documentSeeds } from '../support/documents.js'
import { answerLater, hold, same } from '../support/oracles.js'

const PATH = '/state/demo/state.json'

const config = resolveConfig('demo', { rootfs: '/rootfs', namespaces: ['mnt', 'pid'] })
const begin = {
  id: 'demo',
  init_process_pid: 42,
  init_process_start: '123456',
  created: '2026-01-02T03:04:05.678Z',
  bundle: '/b',
}
const state = {
  ...begin,
  rootless: false,
  cgroup_paths: { '': '/sys/fs/cgroup/libcontainer-demo', memory: '/sys/fs/cgroup/memory/libcontainer-demo' },
  namespace_paths: namespacePaths(42),
  config,
}
const paths = { NEWNS: '/proc/42/ns/mnt', NEWPID: '/proc/42/ns/pid' }
const other = {
  id: 'demo',
  init_process_pid: 42,
  init_process_start: '123456',
  namespace_paths: paths,
  cgroup_paths: { memory: '/sys/fs/cgroup/memory/demo' },
}
const source = { config: { rootfs: '/rootfs', namespaces: ['mnt', 'pid'] as const, cgroups: { path: '/demo' } } }
const documents: readonly unknown[] = [
  state,
  { ...state, cgroup_driver: 'systemd', cgroup_paths: { '': '/sys/fs/cgroup/system.slice/demo.scope' } },
  { ...state, cgroup_paths: {} },
  { ...state, cgroup_paths: {}, config: { ...config, cgroups: { path: '/a/..' } } },
  { ...other, config: writeConfig2015(source as never) },
  { ...other, created: '2026-01-02T03:04:05Z', config: writeConfig2026(source as never) },
]

/** state.json: what is read is whole, and what its beginning tells quickly is what all of it tells. */
export async function fuzz(data: Uint8Array): Promise<void> {
  const text = documentOf(data, documents)
  const head = parseHead('demo', text)
  const state = await answerLater(() => parseState(text, PATH, 'demo'), 'SystemError')
  if (head !== undefined) hold(head.init_process_pid >= 0 && head.id === 'demo', 'another container')
  if (state === undefined) return
  hold(state.id === 'demo' && state.init_process_pid > 0, 'another container')
  const cgroup = state.config.cgroups.path
  hold(namesBelow(cgroup).length > 0 && !cgroup.includes('\0'), `a cgroup that is all of the machine: ${cgroup}`)
  for (const path of Object.values(state.cgroup_paths))
    hold(/^\/(?!.*\/\.\.(?:\/|$))/.test(path), `a cgroup outside: ${path}`)
  if (state.era === undefined)
    same(await parseState(stringifyJson(state), PATH, 'demo'), state, 'written and read again')
  if (head === undefined || isDoubled(text)) return
  same(
    [head.init_process_pid, head.init_process_start, head.created],
    [state.init_process_pid, state.init_process_start, state.created],
    'the beginning and the whole',
  )
  for (const [key, path] of Object.entries(head.cgroup_paths))
    same(path, state.cgroup_paths[key], `the cgroup of ${key}`)
}

/** Where a path leads, from the top. */
function namesBelow(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}

/** Of a key that comes twice a parser takes the last: nobody but root writes such a state. */
const isDoubled = (text: string): boolean =>
  ['init_process_pid', 'init_process_start', 'created', 'bundle', 'cgroup_paths', '', 'freezer'].some(
    key => text.split(`"${key}"`).length > 2 || /\\u/.test(text),
  )

export const seeds = (): (string | Uint8Array)[] => documentSeeds(documents)
