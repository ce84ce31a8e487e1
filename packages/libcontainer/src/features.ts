import { describeFeatures, type Features } from '@libcontainer/sys'
import { facilities } from './facilities.js'

/** What all the packages can do, on whatever host: by package and subject, as in `mount.options`. */
export function features(): Features {
  const words = [...facilities].flatMap(([name, facility]) =>
    Object.entries(facility.features()).map(([subject, list]) => [`${name}.${subject}`, list] as const),
  )
  return describeFeatures(Object.fromEntries(words))
}
