import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c. Keyrings are serial numbers; 0 is none. `joinSessionKeyring` is for `init` alone. */
export interface KeyOps {
  addKey(type: string, description: string, payload: Uint8Array, keyring: number): number
  requestKey(type: string, description: string, callout: string, hasCallout: number, keyring: number): number
  searchKeyring(keyring: number, type: string, description: string, to: number): number
  keyringId(special: number): number
  persistentKeyring(uid: number, to: number): number
  describeKey(key: number, buffer: Uint8Array): number
  readKey(key: number, buffer: Uint8Array): number
  updateKey(key: number, payload: Uint8Array): number
  revokeKey(key: number): number
  invalidateKey(key: number): number
  clearKeyring(keyring: number): number
  linkKey(key: number, keyring: number): number
  unlinkKey(key: number, keyring: number): number
  moveKey(key: number, from: number, to: number, flags: number): number
  setKeyTimeout(key: number, seconds: number): number
  setKeyPermissions(key: number, mask: number): number
  modifyKeyPermissions(key: number, keep: number, add: number): number
  changeKeyOwner(key: number, uid: number, gid: number): number
  keyCapabilities(buffer: Uint8Array): number
}

export const native = binding<KeyOps>('keys', import.meta.url)
