import { describeFeatures, type Features } from '@libcontainer/sys'
import { annotationNames } from './annotations.js'
import { featuresDocument } from './features-document.js'

/** What this package understands, on whatever host; {@link featuresDocument} says it as OCI has it. */
export function features(): Features<'hooks' | 'namespaces' | 'mountOptions' | 'annotations'> {
  const { hooks, mountOptions, linux } = featuresDocument()
  return describeFeatures({ hooks, mountOptions, namespaces: linux.namespaces, annotations: annotationNames })
}
