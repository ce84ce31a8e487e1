import type { Invocation } from '../command-line.js'
import { refuseCriu } from '../criu.js'

export const run = (invocation: Invocation): Promise<number> => refuseCriu('checkpoint', invocation)
