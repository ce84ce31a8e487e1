import { signalNumber } from '@libcontainer/sys'
import type { PreparedPayload } from '../config/executor.js'
import type { ProcessSpec } from '../config/process-spec.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { sharingOf } from '../config/sharing.js'
import { confinementOf } from './confinement.js'
import type { Confinement } from './confinement-steps.js'
import { asksSeldom } from './mounts.js'
import type { Attributes } from './process.js'
import { seccompOf } from './seccomp.js'
import type { SeldomAttributes } from './seldom.js'

/** What of it was not known at once. */
export interface Prepared extends Confinement {
  readonly payload?: PreparedPayload | undefined
  /** The first process, as the host sees it, of a further one. */
  readonly company?: number | undefined
  readonly seldom?: SeldomAttributes | undefined
}

/** What of it has to be waited for. */
export const preparedOf = async (config: ResolvedConfig, spec: ProcessSpec): Promise<Prepared> => ({
  ...(await confinementOf(config, spec)),
  ...(asksSeldom(config) ? { seldom: (await import('./seldom.js')).seldomAttributes(config, spec) } : {}),
})

/** What a process gets: its own wish where it has one, the container's else. */
export function attributesOf(
  config: ResolvedConfig,
  spec: ProcessSpec,
  first: boolean,
  { payload, company, labels, landlock, seldom }: Prepared = {},
): Attributes {
  const { parentDeathSignal } = config
  return {
    payload: payload?.args,
    capabilities: spec.capabilities === undefined ? config.capabilities : spec.capabilities,
    secureBits: spec.secureBits ?? config.secureBits,
    // The strictest of several filters holds. The one of the profile comes last: it need not allow loading another.
    seccomp: [...(seldom?.filters ?? []), ...seccompOf({ seccomp: config.seccomp, capabilities: config.capabilities })],
    sysctl: seldom?.sysctl,
    procFiles: seldom?.procFiles,
    landlock,
    labels,
    mountLabel: config.mountLabel || undefined,
    noNewPrivileges: spec.noNewPrivileges ?? config.noNewPrivileges ?? false,
    rlimits: spec.rlimits ?? config.rlimits ?? [],
    sharing: sharingOf(config, spec, company),
    keepGroups: config.keepGroups,
    umask: spec.umask ?? config.umask ?? 0o022,
    parentDeathSignal:
      first && parentDeathSignal !== undefined ? signalNumber(parentDeathSignal, 'parentDeathSignal') : undefined,
  }
}
