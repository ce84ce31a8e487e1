import type { Device } from './device.js'
import { type DeviceRule, ruleOf } from './rule.js'

const character = (path: string, major: number, minor: number, mode = 0o666): Device => ({
  path,
  type: 'c',
  major,
  minor,
  mode,
  uid: 0,
  gid: 0,
  access: 'rwm',
})

const rule = (type: 'b' | 'c', major?: number, minor?: number, access = 'rwm'): DeviceRule => ({
  type,
  major,
  minor,
  access,
  allow: true,
})

/** The nodes that every container gets. */
export const DEFAULT_SIMPLE_DEVICES: readonly Device[] = [
  character('/dev/null', 1, 3),
  character('/dev/zero', 1, 5),
  character('/dev/full', 1, 7),
  character('/dev/tty', 5, 0),
  character('/dev/urandom', 1, 9),
  character('/dev/random', 1, 8),
]

/**
 * The nodes that a container of 2015 got: /dev/fuse too, which {@link DEFAULT_ALLOWED_DEVICES} does not let it open. Its mode
 * is 0, as in the code of 2015; the text of its specification said 0666.
 */
export const DEFAULT_AUTO_CREATED_DEVICES: readonly Device[] = [
  character('/dev/fuse', 10, 229, 0),
  ...DEFAULT_SIMPLE_DEVICES,
]

/** Making any node, which gives no access to what it names; and pseudo-terminals and tun. */
const MAKE_ANY = [rule('c', undefined, undefined, 'm'), rule('b', undefined, undefined, 'm')]
const SIMPLE = DEFAULT_SIMPLE_DEVICES.map(device => ruleOf(device))
const TERMINALS_AND_TUN = [rule('c', 136), rule('c', 5, 2), rule('c', 10, 200)]

/** What a container of 2015 was allowed: today's rules, and the system console and the first terminals. */
export const DEFAULT_ALLOWED_DEVICES: readonly DeviceRule[] = [
  ...MAKE_ANY,
  rule('c', 5, 1),
  rule('c', 4, 0),
  rule('c', 4, 1),
  ...TERMINALS_AND_TUN,
  ...SIMPLE,
]

/** What every container is allowed today, after the rules of its own configuration. */
export const DEFAULT_RULES: readonly DeviceRule[] = [...MAKE_ANY, ...SIMPLE, ...TERMINALS_AND_TUN]

/** The rule to begin with: nothing is allowed. */
export const DENY_ALL: DeviceRule = { type: 'a', access: 'rwm', allow: false }
