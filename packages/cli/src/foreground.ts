export { attend, type Session } from './attend.js'
export { catchSignals, type Forwarding, forwarded } from './signals.js'
export { openStreams, type Streams } from './streams.js'
export { becomeWaiter, type WaiterRequest } from './waiter.js'
