import type { Invocation } from '@libcontainer/cli'
import { refuseCriu } from '../criu.js'

export const run = (invocation: Invocation): Promise<number> => refuseCriu('restore', invocation)
