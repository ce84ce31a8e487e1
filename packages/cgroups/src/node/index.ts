export {
  type ForkOptions,
  fork,
  type Inside,
  type InsideOptions,
  type LimitedChild,
  type SpawnOptions,
  type SpawnResult,
  spawn,
} from './spawn.js'
