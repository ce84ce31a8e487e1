export { features } from './features.js'
export { run } from './main.js'
export { probe } from './probe.js'
