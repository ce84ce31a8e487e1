import { resolveConfig, writeConfig2015, writeConfig2026 } from '@libcontainer/container'
import { stringifyJson } from '@libcontainer/sys'
import { configOf } from '../../packages/container/src/dialects/of-state.js'
import { parseHead } from '../../packages/container/src/overview.js'
import { type ContainerState, namespacePaths, parseRecord, stateOf } from '../../packages/container/src/state.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

const PATH = '/state/demo/state.json'

const parseState = (text: string): ContainerState => stateOf(parseRecord(text, PATH, 'demo'), PATH, configOf)

/** state.json: what is read is whole, and what its beginning tells quickly is what all of it tells. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const head = parseHead('demo', text)
  const state = answer(() => parseState(text), 'SystemError')
  if (head !== undefined) hold(head.init_process_pid >= 0 && head.id === 'demo', 'another container')
  if (state === undefined) return
  hold(state.id === 'demo' && state.init_process_pid > 0, 'another container')
  hold(
    state.config.cgroups.path !== '/' && !state.config.cgroups.path.includes('\0'),
    'a cgroup that is all of the machine',
  )
  for (const path of Object.values(state.cgroup_paths))
    hold(/^\/(?!.*\/\.\.(?:\/|$))/.test(path), `a cgroup outside: ${path}`)
  if (state.era === undefined) same(parseState(stringifyJson(state)), state, 'written and read again')
  if (head === undefined || isDoubled(text)) return
  same(
    [head.init_process_pid, head.init_process_start, head.created],
    [state.init_process_pid, state.init_process_start, state.created],
    'the beginning and the whole',
  )
  for (const [key, path] of Object.entries(head.cgroup_paths))
    same(path, state.cgroup_paths[key], `the cgroup of ${key}`)
}

/** Of a key that comes twice a parser takes the last: nobody but root writes such a state. */
const isDoubled = (text: string): boolean =>
  ['init_process_pid', 'init_process_start', 'created', 'bundle', 'cgroup_paths', '', 'freezer'].some(
    key => text.split(`"${key}"`).length > 2 || /\\u/.test(text),
  )

export function seeds(): string[] {
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
  return [
    state,
    { ...state, cgroup_driver: 'systemd', cgroup_paths: { '': '/sys/fs/cgroup/system.slice/demo.scope' } },
    { ...state, cgroup_paths: {} },
    { ...other, config: writeConfig2015(source as never) },
    { ...other, created: '2026-01-02T03:04:05Z', config: writeConfig2026(source as never) },
  ].map(value => `${stringifyJson(value)}\n`)
}
