/** An integer of JSON: a bigint where no number is exact. */
export type Integer = number | bigint

/** A list of `process.user`'s ids and `linux.uidMappings`: inside, outside, how many. */
export interface SpecIdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

/** `process.user` */
export interface SpecUser {
  readonly uid?: number
  readonly gid?: number
  readonly umask?: number
  readonly additionalGids?: readonly number[]
  /** Of Windows: not looked at. */
  readonly username?: string
}

/** `process.capabilities`: names with `CAP_`. */
export interface SpecCapabilities {
  readonly bounding?: readonly string[]
  readonly effective?: readonly string[]
  readonly inheritable?: readonly string[]
  readonly permitted?: readonly string[]
  readonly ambient?: readonly string[]
}

/** `process.rlimits[i]` */
export interface SpecRlimit {
  readonly type: string
  readonly soft: Integer
  readonly hard: Integer
}

/** `process.scheduler` */
export interface SpecScheduler {
  readonly policy: string
  readonly nice?: number
  readonly priority?: number
  readonly flags?: readonly string[]
  readonly runtime?: Integer
  readonly deadline?: Integer
  readonly period?: Integer
}

/** `process`, which is what `process.json` of `exec --process` holds, too. */
export interface SpecProcess {
  readonly cwd: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly terminal?: boolean
  readonly consoleSize?: { readonly height: Integer; readonly width: Integer }
  readonly user?: SpecUser
  readonly capabilities?: SpecCapabilities
  readonly rlimits?: readonly SpecRlimit[]
  readonly noNewPrivileges?: boolean
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
  readonly oomScoreAdj?: number
  readonly scheduler?: SpecScheduler
  readonly ioPriority?: { readonly class: string; readonly priority?: number }
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string }
}

/** `mounts[i]` */
export interface SpecMount {
  readonly destination: string
  readonly type?: string
  readonly source?: string
  readonly options?: readonly string[]
  readonly uidMappings?: readonly SpecIdMapping[]
  readonly gidMappings?: readonly SpecIdMapping[]
}

/** `hooks.prestart[i]` and its kin. */
export interface SpecHook {
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  /** Seconds. */
  readonly timeout?: number
}

export type SpecHookPoint =
  | 'prestart'
  | 'createRuntime'
  | 'createContainer'
  | 'startContainer'
  | 'poststart'
  | 'poststop'

/** `linux.devices[i]` */
export interface SpecDevice {
  readonly type: string
  readonly path: string
  readonly major?: Integer
  readonly minor?: Integer
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

/** `linux.resources.devices[i]` */
export interface SpecDeviceRule {
  readonly allow: boolean
  readonly type?: string
  readonly major?: Integer
  readonly minor?: Integer
  readonly access?: string
}

/** `linux.resources.memory` */
export interface SpecMemory {
  readonly limit?: Integer
  readonly reservation?: Integer
  readonly swap?: Integer
  readonly kernel?: Integer
  readonly kernelTCP?: Integer
  readonly swappiness?: Integer
  readonly disableOOMKiller?: boolean
  readonly useHierarchy?: boolean
  readonly checkBeforeUpdate?: boolean
}

/** `linux.resources.cpu` */
export interface SpecCpu {
  readonly shares?: Integer
  readonly quota?: Integer
  readonly burst?: Integer
  readonly period?: Integer
  readonly realtimeRuntime?: Integer
  readonly realtimePeriod?: Integer
  readonly cpus?: string
  readonly mems?: string
  readonly idle?: Integer
}

export interface SpecWeightDevice {
  readonly major: Integer
  readonly minor: Integer
  readonly weight?: number
  readonly leafWeight?: number
}

export interface SpecThrottleDevice {
  readonly major: Integer
  readonly minor: Integer
  readonly rate?: Integer
}

/** `linux.resources.blockIO` */
export interface SpecBlockIO {
  readonly weight?: number
  readonly leafWeight?: number
  readonly weightDevice?: readonly SpecWeightDevice[]
  readonly throttleReadBpsDevice?: readonly SpecThrottleDevice[]
  readonly throttleWriteBpsDevice?: readonly SpecThrottleDevice[]
  readonly throttleReadIOPSDevice?: readonly SpecThrottleDevice[]
  readonly throttleWriteIOPSDevice?: readonly SpecThrottleDevice[]
}

/** `linux.resources` */
export interface SpecResources {
  readonly devices?: readonly SpecDeviceRule[]
  readonly memory?: SpecMemory
  readonly cpu?: SpecCpu
  readonly pids?: { readonly limit?: Integer }
  readonly blockIO?: SpecBlockIO
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer }[]
  readonly network?: {
    readonly classID?: number
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[]
  }
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>
  readonly unified?: Readonly<Record<string, string>>
}

/** `linux.seccomp.syscalls[i]` */
export interface SpecSyscall {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly {
    readonly index: number
    readonly value: Integer
    readonly valueTwo?: Integer
    readonly op: string
  }[]
}

/** `linux.seccomp` */
export interface SpecSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly SpecSyscall[]
}

/** `linux` */
export interface SpecLinux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[]
  readonly uidMappings?: readonly SpecIdMapping[]
  readonly gidMappings?: readonly SpecIdMapping[]
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: Integer; readonly nanosecs?: number }>>
  readonly devices?: readonly SpecDevice[]
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>
  readonly cgroupsPath?: string
  readonly resources?: SpecResources
  readonly intelRdt?: {
    readonly closID?: string
    readonly schemata?: readonly string[]
    readonly l3CacheSchema?: string
    readonly memBwSchema?: string
    readonly enableMonitoring?: boolean
  }
  readonly memoryPolicy?: {
    readonly mode?: string
    readonly nodes?: string
    readonly flags?: readonly string[]
  }
  readonly sysctl?: Readonly<Record<string, string>>
  readonly seccomp?: SpecSeccomp
  readonly rootfsPropagation?: string
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly mountLabel?: string
  readonly personality?: { readonly domain?: string; readonly flags?: readonly string[] }
}

/** A `config.json` of the OCI runtime specification, as far as Linux has it. Of other systems' sections nothing is looked at. */
export interface Spec {
  readonly ociVersion: string
  readonly process?: SpecProcess
  readonly root?: { readonly path: string; readonly readonly?: boolean }
  readonly hostname?: string
  readonly domainname?: string
  readonly mounts?: readonly SpecMount[]
  readonly hooks?: Readonly<Partial<Record<SpecHookPoint, readonly SpecHook[]>>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly linux?: SpecLinux
}
