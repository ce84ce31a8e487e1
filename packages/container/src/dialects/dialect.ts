import type { ContainerConfig } from '../config/config.js'
import type { ProcessSpec } from '../config/process-spec.js'

/**
 * Whose words a configuration is written in: this library's own, libcontainer's of 2014, of 2015 or of 2026, or OCI's. The last is read by
 * the package `oci`.
 */
export type Dialect = 'own' | '2014' | '2015' | '2026' | 'oci'

/** What a configuration may say of the programs that run in its container. */
export const processDefaultFields = [
  'args',
  'env',
  'cwd',
  'user',
  'additionalGroups',
  'terminal',
  'capabilities',
  'secureBits',
  'rlimits',
  'noNewPrivileges',
  'umask',
  'oomScoreAdj',
  'scheduler',
  'ioPriority',
  'cpuAffinity',
  'personality',
  'memoryPolicy',
] as const satisfies readonly (keyof ProcessSpec)[]

export type ProcessDefaults = Partial<Pick<ProcessSpec, (typeof processDefaultFields)[number]>>

/** A configuration of another dialect, in this library's words. */
export interface DialectConfig {
  readonly config: ContainerConfig
  readonly process: ProcessDefaults
  /** What was said and changes nothing, one sentence each, beginning with the field. */
  readonly warnings: readonly string[]
  /** OCI's version that a configuration of 2026 was made from. */
  readonly version?: string | undefined
}

export interface ReadOptions {
  /** The root filesystem, for a file that names none: those of 2014 mean the current directory. */
  readonly rootfs?: string | undefined
}

/** What a writer takes: the configuration, and what the file can say of programs. */
export interface DialectSource {
  readonly config: ContainerConfig
  readonly process?: ProcessDefaults | undefined
  readonly version?: string | undefined
}
