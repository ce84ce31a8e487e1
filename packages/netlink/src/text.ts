export * from './address-text.js'
export * from './link-name.js'
export * from './mac.js'
export * from './prefix.js'
