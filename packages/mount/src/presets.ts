import { ConfigInvalid } from '@libcontainer/sys'
import type { Mount } from './mount.js'

/** What a config has of presets. */
export interface MountPresets {
  readonly mounts: readonly Mount[]
  readonly readonlyPaths: readonly string[]
}

const FLAGS = ['nosuid', 'noexec', 'nodev']
const proc: Mount = { destination: '/proc', type: 'proc', source: 'proc', options: FLAGS }
const sys: Mount = { destination: '/sys', type: 'sysfs', source: 'sysfs', options: FLAGS }
const cgroup: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: FLAGS }
/** Where a program sets up the interfaces of its own network namespace. */
const INTERFACES = '/sys/devices/virtual/net'

const readonly = (mount: Mount): Mount => ({ ...mount, options: [...FLAGS, 'ro'] })
const only = (...mounts: Mount[]): MountPresets => ({ mounts, readonlyPaths: [] })

const PRESETS: Readonly<Record<string, MountPresets>> = {
  'proc:mixed': { mounts: [proc], readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'] },
  'proc:rw': only(proc),
  'sys:ro': only(readonly(sys)),
  'sys:mixed': only(
    sys,
    { destination: INTERFACES, type: 'bind', source: INTERFACES, options: ['bind', 'src-inside', ...FLAGS] },
    { destination: '/sys', source: '/sys', options: ['remount', 'bind', 'ro', ...FLAGS] },
  ),
  'sys:rw': only(sys),
  'cgroup:ro': only(readonly(cgroup)),
  'cgroup:mixed': only(cgroup),
}

/** Without a word behind the colon, or without the colon. */
const USUAL: Readonly<Record<string, string>> = { proc: 'proc:mixed', sys: 'sys:ro', cgroup: 'cgroup:mixed' }

/**
 * The mounts that go by a word in LXC's `lxc.mount.auto`, to be put behind others of a config: `proc:mixed` (but for /proc/sys and the SysRq trigger it can be
 * written to), `proc:rw`, `sys:ro`, `sys:mixed` (its interfaces can be written to), `sys:rw`, `cgroup:ro`, `cgroup:mixed` (its own cgroups can). Pure.
 *
 * @throws {ConfigInvalid} for another word
 */
export function mountPresets(words: readonly string[]): MountPresets {
  if (!Array.isArray(words)) throw new ConfigInvalid('presets', words, 'must be a list of words')
  const found = words.map((given, i) => {
    const word = Object.hasOwn(USUAL, given) ? USUAL[given]! : given
    if (!Object.hasOwn(PRESETS, word))
      throw new ConfigInvalid(`presets[${i}]`, given, `must be one of ${Object.keys(PRESETS).join(', ')}`)
    return { kind: word.split(':')[0]!, ...PRESETS[word]! }
  })
  found.forEach(({ kind }, i) => {
    if (found.findIndex(other => other.kind === kind) < i)
      throw new ConfigInvalid(`presets[${i}]`, words[i], `says a second time what ${kind} is like`)
  })
  // The cgroups lie in what sysfs shows.
  const order = ['proc', 'sys', 'cgroup']
  const sorted = [...found].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  return { mounts: sorted.flatMap(each => each.mounts), readonlyPaths: sorted.flatMap(each => each.readonlyPaths) }
}
