export { type ContainerEventMap, containerEvents } from './events.js'
