import { landlockSteps } from '@libcontainer/init'
import { landlockVersion, signalNumber } from '@libcontainer/sys'
import type { PreparedPayload } from './executor.js'
import { labelSteps } from './labels.js'
import type { Attributes } from './plan-process.js'
import type { ProcessSpec } from './process-spec.js'
import type { ResolvedConfig } from './resolve.js'
import { seccompOf } from './seccomp.js'
import { sharingOf } from './sharing.js'

/** What a process gets: its own wish where it has one, the container's else. */
export function attributesOf(
  config: ResolvedConfig,
  spec: ProcessSpec,
  first: boolean,
  payload?: PreparedPayload,
): Attributes {
  const { parentDeathSignal } = config
  return {
    payload: payload?.args,
    capabilities: spec.capabilities === undefined ? config.capabilities : spec.capabilities,
    secureBits: spec.secureBits ?? config.secureBits,
    seccomp: seccompOf({ seccomp: config.seccomp, capabilities: config.capabilities }),
    landlock: config.landlock === undefined ? undefined : landlockSteps(config.landlock, landlockVersion()),
    labels: labelSteps(config, spec),
    noNewPrivileges: spec.noNewPrivileges ?? config.noNewPrivileges ?? false,
    rlimits: spec.rlimits ?? config.rlimits ?? [],
    sharing: sharingOf(config, spec),
    keepGroups: config.keepGroups,
    umask: spec.umask ?? config.umask ?? 0o022,
    parentDeathSignal:
      first && parentDeathSignal !== undefined ? signalNumber(parentDeathSignal, 'parentDeathSignal') : undefined,
  }
}
