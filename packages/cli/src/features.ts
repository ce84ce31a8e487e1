import { describeFeatures, type Features, LOG_FORMATS } from '@libcontainer/sys'

/** What command lines have of this package, on whatever host. */
export function features(): Features<'completions' | 'logs'> {
  return describeFeatures({ completions: ['bash', 'zsh', 'fish'], logs: [...LOG_FORMATS] })
}
