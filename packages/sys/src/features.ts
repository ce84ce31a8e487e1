import { LOG_FORMATS, LOG_LEVELS } from './log.js'
import { describeFeatures, type Features } from './process/abilities.js'

/** What this package can do, on whatever host. */
export function features(): Features<'architectures' | 'logFormats' | 'logLevels'> {
  return describeFeatures({ architectures: ['x86_64', 'aarch64'], logFormats: LOG_FORMATS, logLevels: LOG_LEVELS })
}
