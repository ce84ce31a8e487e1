export * from './address/prefix.js'
export * from './address/text.js'
export * from './link/mac.js'
export * from './link/name.js'
