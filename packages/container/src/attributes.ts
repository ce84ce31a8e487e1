import { signalNumber } from '@libcontainer/sys'
import type { Confinement } from './confinement-steps.js'
import type { PreparedPayload } from './executor.js'
import type { Attributes } from './plan-process.js'
import type { ProcessSpec } from './process-spec.js'
import type { ResolvedConfig } from './resolve.js'
import { seccompOf } from './seccomp.js'
import { sharingOf } from './sharing.js'

/** What of it was not known at once. */
export interface Prepared extends Confinement {
  readonly payload?: PreparedPayload | undefined
}

/** What a process gets: its own wish where it has one, the container's else. */
export function attributesOf(
  config: ResolvedConfig,
  spec: ProcessSpec,
  first: boolean,
  { payload, labels, landlock }: Prepared = {},
): Attributes {
  const { parentDeathSignal } = config
  return {
    payload: payload?.args,
    capabilities: spec.capabilities === undefined ? config.capabilities : spec.capabilities,
    secureBits: spec.secureBits ?? config.secureBits,
    seccomp: seccompOf({ seccomp: config.seccomp, capabilities: config.capabilities }),
    landlock,
    labels,
    mountLabel: config.mountLabel || undefined,
    noNewPrivileges: spec.noNewPrivileges ?? config.noNewPrivileges ?? false,
    rlimits: spec.rlimits ?? config.rlimits ?? [],
    sharing: sharingOf(config, spec),
    keepGroups: config.keepGroups,
    umask: spec.umask ?? config.umask ?? 0o022,
    parentDeathSignal:
      first && parentDeathSignal !== undefined ? signalNumber(parentDeathSignal, 'parentDeathSignal') : undefined,
  }
}
