import { describeFeatures, type Features } from '@libcontainer/sys'
import type { Stdio } from './config/process-spec.js'
import { errorCodes } from './errors.js'
import type { Status } from './state/status.js'

const statuses: readonly Status[] = ['creating', 'created', 'running', 'paused', 'stopped']
const stdio: readonly Extract<Stdio, string>[] = ['pipe', 'inherit', 'null']

/** What this package can do, on whatever host. */
export function features(): Features<'statuses' | 'stdio' | 'errorCodes'> {
  return describeFeatures({ statuses, stdio: [...stdio, 'descriptor', 'terminal'], errorCodes })
}
