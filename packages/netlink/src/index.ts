export * from './attributes.js'
export * from './message.js'
export * from './socket.js'
export * from './wire.js'
