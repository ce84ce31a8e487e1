import { refuse } from '../absent.js'

export const run = (): Promise<number> => refuse('mounts', 'lcrun')
