import { known } from '@libcontainer/capabilities'
import { OCI_VERSION } from '@libcontainer/container'
import { features as mountFeatures } from '@libcontainer/mount'
import { features as seccompFeatures } from '@libcontainer/seccomp'
import { annotationNames } from './annotations.js'
import { definitions, type Type } from './schema.js'

/** OCI's features document: what this runtime understands, whatever the host has. */
export interface FeaturesDocument {
  readonly ociVersionMin: string
  readonly ociVersionMax: string
  readonly hooks: readonly string[]
  readonly mountOptions: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
  readonly potentiallyUnsafeConfigAnnotations: readonly string[]
  readonly linux: {
    readonly namespaces: readonly string[]
    readonly capabilities: readonly string[]
    readonly cgroup: Readonly<Record<'v1' | 'v2' | 'systemd' | 'systemdUser' | 'rdma', boolean>>
    readonly seccomp: {
      readonly enabled: boolean
      readonly actions: readonly string[]
      readonly operators: readonly string[]
      readonly archs: readonly string[]
      readonly knownFlags: readonly string[]
      readonly supportedFlags: readonly string[]
    }
    readonly apparmor: { readonly enabled: boolean }
    readonly selinux: { readonly enabled: boolean }
    readonly memoryPolicy: { readonly modes: readonly string[]; readonly flags: readonly string[] }
    readonly intelRdt: { readonly enabled: boolean; readonly schemata: boolean; readonly monitoring: boolean }
    readonly mountExtensions: { readonly idmap: { readonly enabled: boolean } }
    readonly netDevices: { readonly enabled: boolean }
  }
}

export interface FeaturesOptions {
  /** Of the runtime, for the annotation `org.libcontainer.lcrun.version`. */
  readonly version?: string | undefined
}

/** The features document. Pure and the same everywhere, as the specification wants it. */
export function featuresDocument({ version }: FeaturesOptions = {}): FeaturesDocument {
  const { actions, operators, archs, knownFlags } = seccompFeatures()
  const sorted = (list: readonly string[]): string[] => [...list].sort()
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: OCI_VERSION,
    hooks: Object.keys(definitions.Hooks!),
    mountOptions: sorted(mountFeatures().options),
    annotations: {
      'org.libcontainer.lcrun.checkpoint.enabled': 'true',
      ...(version === undefined ? {} : { 'org.libcontainer.lcrun.version': version }),
    },
    potentiallyUnsafeConfigAnnotations: annotationNames,
    linux: {
      namespaces: [...words(definitions.NamespaceReference!['type!'])].sort(),
      capabilities: known(),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        enabled: true,
        actions: sorted(actions).filter(action => action !== 'SCMP_ACT_NOTIFY'),
        operators: sorted(operators),
        archs: sorted(archs),
        knownFlags: sorted(knownFlags),
        supportedFlags: sorted(knownFlags),
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      memoryPolicy: {
        modes: words(definitions.MemoryPolicy!.mode),
        flags: words((definitions.MemoryPolicy!.flags as { '[]': Type })['[]']),
      },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
  }
}

const words = (type: Type | undefined): readonly string[] => type as readonly string[]
