export { checkKeyringName } from './check.js'
export { features } from './features.js'
export {
  type JoinSessionKeyringOptions,
  joinSessionKeyring,
  type Keyring,
  keyringId,
  persistentKeyring,
  SPECIAL_KEYRINGS,
  type SpecialKeyring,
} from './keyrings.js'
export {
  addKey,
  addKeyring,
  changeKeyOwner,
  clearKeyring,
  type FindOptions,
  invalidateKey,
  linkKey,
  modifyKeyPermissions,
  moveKey,
  type RequestOptions,
  requestKey,
  revokeKey,
  searchKeyring,
  setKeyPermissions,
  setKeyTimeout,
  unlinkKey,
  updateKey,
} from './keys.js'
export {
  KEY_HOLDERS,
  KEY_RIGHTS,
  type KeyHolder,
  type KeyPermissions,
  type KeyRight,
  keyPermissions,
  parseKeyPermissions,
} from './permissions.js'
export { probe } from './probe.js'
export { describeKey, type KeyDescription, parseKeyDescription, readKey, readKeyring } from './read.js'
export { hasKeys, KEY_CAPABILITIES, type KeyCapability, keyCapabilities } from './support.js'
