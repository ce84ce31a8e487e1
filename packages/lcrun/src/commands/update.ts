import { refuse } from '../absent.js'

export const run = (): Promise<number> => refuse('update', 'lcrun')
