import { describeFeatures, type Features } from '@libcontainer/sys'
import { EVENT_SUBJECTS } from './events.js'
import { LINK_KINDS } from './link/kinds.js'

/** What this package can do, on whatever host. */
export function features(): Features<'links' | 'events'> {
  return describeFeatures({ links: LINK_KINDS, events: EVENT_SUBJECTS })
}
