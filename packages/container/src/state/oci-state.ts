import type { ContainerState } from './state.js'
import type { Status } from './status.js'

/** The version of the OCI runtime specification that states are written by. */
export const OCI_VERSION = '1.3.0'

/** The state of a container in the words of the OCI runtime specification: what hooks get, and `state` prints. */
export interface OciState {
  readonly ociVersion: string
  readonly id: string
  readonly status: Status
  /** Of the first process, as this host sees it; left out of one that has ended. */
  readonly pid?: number
  readonly bundle: string
  readonly annotations: Readonly<Record<string, string>>
}

export interface OciStateSource {
  readonly id: string
  readonly status: Status
  readonly labels?: readonly string[] | undefined
  readonly state?: Pick<ContainerState, 'init_process_pid'> | undefined
}

/** The label `bundle=` is the bundle's directory; every other `key=value` is an annotation. */
export function ociState({ id, status, labels = [], state }: OciStateSource): OciState {
  const annotations: Record<string, string> = Object.create(null)
  for (const label of labels) {
    const equals = label.indexOf('=')
    annotations[label.slice(0, equals)] = label.slice(equals + 1)
  }
  const { bundle = '', ...others } = annotations
  return {
    ociVersion: OCI_VERSION,
    id,
    status,
    ...(status === 'stopped' || state === undefined ? {} : { pid: state.init_process_pid }),
    bundle,
    annotations: Object.assign(Object.create(null), others),
  }
}

const BUNDLE = 'bundle='

/** The bundle's directory, by its label; `''` where there is none. */
export function bundleOf(labels: readonly string[] = []): string {
  return labels.findLast(label => label.startsWith(BUNDLE))?.slice(BUNDLE.length) ?? ''
}
