export {
  ADDRESS_FLAGS,
  type Address,
  type AddressFlag,
  type AddressOptions,
  addAddress,
  deleteAddress,
  type Lifetime,
  listAddresses,
  parseAddressMessage,
  SCOPES,
  type Scope,
} from './address-messages.js'
export * from './address-text.js'
export * from './addresses.js'
export * from './attributes.js'
export * from './generic.js'
export * from './link.js'
export { LINK_FLAGS, type LinkFlag, OPERATIONAL_STATES, type OperationalState } from './link-flags.js'
export type { KnownKind, LinkData, PortData, PortKind } from './link-kinds.js'
export * from './link-messages.js'
export * from './link-name.js'
export * from './link-options.js'
export type { Count, LinkStatistics } from './link-statistics.js'
export * from './links.js'
export * from './mac.js'
export * from './message.js'
export * from './monitor.js'
export * from './namespace.js'
export * from './netns.js'
export * from './prefix.js'
export * from './socket.js'
export * from './wire.js'
