import { ConfigInvalid } from '@libcontainer/sys'
import type { Device } from './device.js'

/** The major number that small drivers share: misc. */
export const MISC_MAJOR = 10

const misc = (path: string, minor: number, mode = 0o660): Device => character(path, MISC_MAJOR, minor, mode)

const character = (path: string, major: number, minor: number, mode: number): Device => ({
  path,
  type: 'c',
  major,
  minor,
  mode,
  uid: 0,
  gid: 0,
  access: 'rwm',
})

/** Devices that containers ask for by name, whose numbers the kernel has fixed (devices.txt); with the modes that hosts commonly give them. */
export const NAMED_DEVICES = Object.freeze({
  /** File systems of a program's own. */
  fuse: misc('/dev/fuse', 229, 0o666),
  /** Network interfaces of a program's own. */
  tun: misc('/dev/net/tun', 200, 0o666),
  /** Virtual machines. */
  kvm: misc('/dev/kvm', 232),
  'vhost-net': misc('/dev/vhost-net', 238),
  'vhost-vsock': misc('/dev/vhost-vsock', 241),
  'loop-control': misc('/dev/loop-control', 237),
  'btrfs-control': misc('/dev/btrfs-control', 234),
  uinput: misc('/dev/uinput', 223),
  rfkill: misc('/dev/rfkill', 242),
  vfio: misc('/dev/vfio/vfio', 196, 0o666),
  ppp: character('/dev/ppp', 108, 0, 0o600),
  cuse: misc('/dev/cuse', 203, 0o600),
  mem: character('/dev/mem', 1, 1, 0o640),
  kmsg: character('/dev/kmsg', 1, 11, 0o644),
  null: character('/dev/null', 1, 3, 0o666),
  zero: character('/dev/zero', 1, 5, 0o666),
  full: character('/dev/full', 1, 7, 0o666),
  random: character('/dev/random', 1, 8, 0o666),
  urandom: character('/dev/urandom', 1, 9, 0o666),
  tty: character('/dev/tty', 5, 0, 0o666),
  console: character('/dev/console', 5, 1, 0o600),
  ptmx: character('/dev/ptmx', 5, 2, 0o666),
} satisfies Record<string, Device>)

export type DeviceName = keyof typeof NAMED_DEVICES

/**
 * A device by its name, or by the path below /dev that everybody knows it by: `fuse`, `net/tun`, `/dev/kvm`.
 *
 * It is data: whether the host has it is another question (`hostDrivers`, `deviceFromPath`).
 *
 * @throws {ConfigInvalid} for a name that is none of {@link NAMED_DEVICES}
 */
export function namedDevice(name: string, field = 'device'): Device {
  const path = typeof name === 'string' && name.startsWith('/') ? name : `/dev/${name}`
  const found = Object.hasOwn(NAMED_DEVICES, name)
    ? NAMED_DEVICES[name as DeviceName]
    : Object.values(NAMED_DEVICES).find(each => each.path === path)
  if (found === undefined)
    throw new ConfigInvalid(field, name, `must be one of ${Object.keys(NAMED_DEVICES).join(', ')}`, {
      hint: 'deviceFromPath() takes a device from a node of the host',
    })
  return { ...found }
}
