import { checked, isErrno } from '@libcontainer/sys'
import { native } from './native.js'

/** What the kernel's keys can do, by the words of keyctl(1) `supports`: the bits of keyctl_capabilities(3), in their order. */
export const KEY_CAPABILITIES = Object.freeze([
  'capabilities',
  'persistent-keyrings',
  'diffie-hellman',
  'public-key',
  'big-key',
  'invalidate',
  'restrict-keyring',
  'move-key',
  'ns-keyring-name',
  'ns-key-tag',
  'notifications',
] as const)
export type KeyCapability = (typeof KEY_CAPABILITIES)[number]

/**
 * Whether the kernel has keys at all: `CONFIG_KEYS`. A filter that refuses the call otherwise than by `ENOSYS` says nothing of the kernel, and
 * so counts as yes.
 */
export function hasKeys(): boolean {
  return native.sync.keyCapabilities(new Uint8Array(1)) !== ENOSYS
}

const ENOSYS = -38

/**
 * What the kernel's keys can do.
 *
 * @throws {SyscallError} `ENOSYS` without keys, `EPERM` behind a seccomp filter that refuses them
 */
export function keyCapabilities(): KeyCapability[] {
  const bits = new Uint8Array(2)
  try {
    checked(native.sync.keyCapabilities(bits), 'keyctl(CAPABILITIES)')
  } catch (error) {
    // Before Linux 5.3.
    if (isErrno(error, 'EOPNOTSUPP')) return []
    throw error
  }
  return KEY_CAPABILITIES.filter((_, bit) => (bits[bit >> 3]! >> (bit & 7)) & 1)
}
