export { runMain } from './main.js'
