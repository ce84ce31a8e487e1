import { ConfigInvalid, parseJson } from '@libcontainer/sys'
import { MAX_MAJOR, MAX_MINOR } from '../numbers.js'
import * as check from './check.js'
import { CDI_VERSIONS } from './versions.js'

/** A file of the Container Device Interface: what has to be done to a container for it to use some devices. */
export interface CdiSpec {
  readonly cdiVersion: string
  /** `vendor.com/class`. */
  readonly kind: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly devices: readonly CdiDevice[]
  /** What is done once for all of its devices that a container gets. */
  readonly containerEdits?: CdiContainerEdits
}

export interface CdiDevice {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly containerEdits: CdiContainerEdits
}

/** Edits, in the words of the file. */
export interface CdiContainerEdits {
  readonly env?: readonly string[] | null
  readonly deviceNodes?: readonly CdiDeviceNode[] | null
  readonly netDevices?: readonly CdiNetDevice[] | null
  readonly mounts?: readonly CdiMount[] | null
  readonly hooks?: readonly CdiHook[] | null
  readonly additionalGids?: readonly number[] | null
  readonly intelRdt?: CdiIntelRdt | null
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string
  /** On the host. Default: the same. */
  readonly hostPath?: string | null
  readonly type?: string | null
  readonly major?: number | null
  readonly minor?: number | null
  readonly fileMode?: number | null
  /** Some of r, w, m; `none` for no rule. Default: all. */
  readonly permissions?: string | null
  readonly uid?: number | null
  readonly gid?: number | null
}

export interface CdiNetDevice {
  readonly hostInterfaceName: string
  readonly name: string
}

export interface CdiMount {
  readonly hostPath: string
  readonly containerPath: string
  readonly type?: string | null
  readonly options?: readonly string[] | null
}

export interface CdiHook {
  readonly hookName: string
  readonly path: string
  readonly args?: readonly string[] | null
  readonly env?: readonly string[] | null
  /** In seconds. */
  readonly timeout?: number | null
}

export interface CdiIntelRdt {
  readonly closID?: string | null
  readonly l3CacheSchema?: string | null
  readonly memBwSchema?: string | null
  readonly schemata?: readonly string[] | null
  readonly enableMonitoring?: boolean | null
  readonly enableCMT?: boolean | null
  readonly enableMBM?: boolean | null
}

const NAME =
  'must begin with a letter, end with a letter or digit, and have nothing but those, "_", "-" and "." between'
const VENDOR = /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/
const DEVICE = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/

const id = check.integer(0, 4294967294)

const checkEdits = check.object(
  {},
  {
    env: check.list(check.variable),
    deviceNodes: check.list(
      check.object(
        { path: check.path },
        {
          hostPath: check.path,
          type: check.matching(/^[bcup]?$/, 'must be "b", "c", "u" or "p"'),
          major: check.integer(0, MAX_MAJOR),
          minor: check.integer(0, MAX_MINOR),
          fileMode: check.integer(0, 0o177777),
          permissions: check.matching(/^(?:none|[rwm]*)$/, 'must be some of the letters r, w and m, or "none"'),
          uid: id,
          gid: id,
        },
      ),
    ),
    netDevices: check.list(check.object({ hostInterfaceName: interfaceName, name: interfaceName })),
    mounts: check.list(
      check.object(
        { hostPath: filled, containerPath: check.path },
        { type: check.string, options: check.list(check.string) },
      ),
    ),
    hooks: check.list(
      check.object(
        {
          hookName: check.matching(
            /^(?:prestart|createRuntime|createContainer|startContainer|poststart|poststop)$/,
            'must be one of prestart, createRuntime, createContainer, startContainer, poststart, poststop',
          ),
          path: check.path,
        },
        {
          args: check.list(check.string),
          env: check.list(check.variable),
          timeout: check.integer(1, 2 ** 31),
        },
      ),
    ),
    additionalGids: check.list(id),
    intelRdt: check.object(
      {},
      {
        closID: closId,
        l3CacheSchema: check.string,
        memBwSchema: check.string,
        schemata: check.list(check.string),
        enableMonitoring: check.boolean,
        enableCMT: check.boolean,
        enableMBM: check.boolean,
      },
    ),
  },
)

const checkSpec = check.object(
  {
    cdiVersion: check.matching(/^\d+\.\d+\.\d+$/, `must be one of ${CDI_VERSIONS.join(', ')}`),
    kind,
    devices: check.list(
      check.object(
        {
          name: check.matching(DEVICE, `${NAME} (a device may begin with a digit, and have ":")`),
          containerEdits: checkEdits,
        },
        { annotations: check.texts },
      ),
    ),
  },
  { annotations: check.texts, containerEdits: checkEdits },
)

/**
 * Reads a file of the Container Device Interface.
 *
 * @param file - its text, or what its JSON is
 * @throws {ConfigInvalid} with the place in the file; for a version that is not known, and for a field that its version does not have
 */
export function parseCdi(file: unknown): CdiSpec {
  const value = typeof file === 'string' ? jsonOf(file) : file
  checkSpec(value, '')
  const spec = value as CdiSpec
  const known = (CDI_VERSIONS as readonly string[]).indexOf(spec.cdiVersion)
  if (known < 0) check.refuse('cdiVersion', spec.cdiVersion, `must be one of ${CDI_VERSIONS.join(', ')}`)
  if (spec.devices.length === 0) check.refuse('devices', spec.devices, 'must name a device')
  const seen = new Set<string>()
  for (const [i, { name, containerEdits }] of spec.devices.entries()) {
    const at = `devices[${i}]`
    if (seen.has(name)) check.refuse(`${at}.name`, name, 'is there twice')
    seen.add(name)
    if (!Object.values(containerEdits).some(isGiven))
      check.refuse(`${at}.containerEdits`, containerEdits, 'must do something to a container')
  }
  for (const [place, version] of versionsOf(spec)) {
    const since = CDI_VERSIONS.indexOf(version)
    if (known < since)
      check.refuse('cdiVersion', spec.cdiVersion, `must be ${version} or later: ${place} is not known before`)
  }
  return spec
}

/** A device's whole name, `vendor.com/class=name`. @throws {ConfigInvalid} */
export function parseCdiName(name: string, field = 'device'): { readonly kind: string; readonly name: string } {
  const parts = typeof name === 'string' ? /^([^/=]+)\/([^/=]+)=([^=]+)$/.exec(name) : null
  if (parts === null) check.refuse(field, name, 'must be a device’s whole name: vendor.com/class=name')
  const [, vendor = '', kindClass = '', device = ''] = parts
  if (!VENDOR.test(vendor) || !VENDOR.test(kindClass) || !DEVICE.test(device)) check.refuse(field, name, NAME)
  return { kind: `${vendor}/${kindClass}`, name: device }
}

/** What needs a later version than the first, and since when it is there. */
function* versionsOf(spec: CdiSpec): Generator<[place: string, version: (typeof CDI_VERSIONS)[number]]> {
  if (isGiven(spec.annotations)) yield ['annotations', '0.6.0']
  if (spec.kind.split('/')[1]?.includes('.')) yield ['a dot in the class', '0.6.0']
  const all: [string, CdiContainerEdits | undefined][] = [['containerEdits', spec.containerEdits]]
  for (const [i, { name, annotations, containerEdits }] of spec.devices.entries()) {
    if (/^\d/.test(name)) yield [`devices[${i}].name with a digit in front`, '0.5.0']
    if (isGiven(annotations)) yield [`devices[${i}].annotations`, '0.6.0']
    all.push([`devices[${i}].containerEdits`, containerEdits])
  }
  for (const [at, edits] of all) {
    for (const [i, mount] of (edits?.mounts ?? []).entries()) if (mount.type) yield [`${at}.mounts[${i}].type`, '0.4.0']
    for (const [i, node] of (edits?.deviceNodes ?? []).entries())
      if (node.hostPath) yield [`${at}.deviceNodes[${i}].hostPath`, '0.5.0']
    if (edits?.intelRdt) yield [`${at}.intelRdt`, '0.7.0']
    if (isGiven(edits?.additionalGids)) yield [`${at}.additionalGids`, '0.7.0']
    if (isGiven(edits?.intelRdt?.schemata) || edits?.intelRdt?.enableMonitoring) yield [`${at}.intelRdt`, '1.1.0']
    if (isGiven(edits?.netDevices)) yield [`${at}.netDevices`, '1.1.0']
  }
}

/** Whether there is something in it. */
function isGiven(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new ConfigInvalid('file', text.slice(0, 100), `must be JSON: ${(cause as Error).message}`, { cause })
  }
}

function kind(value: unknown, at: string): void {
  const [vendor = '', kindClass = '', ...more] = typeof value === 'string' ? value.split('/') : []
  if (more.length > 0 || !VENDOR.test(vendor) || !VENDOR.test(kindClass))
    check.refuse(at, value, `must be vendor.com/class, each of which ${NAME}`)
}

function filled(value: unknown, at: string): void {
  check.string(value, at)
  if (value === '') check.refuse(at, value, 'must not be empty')
}

function interfaceName(value: unknown, at: string): void {
  check.matching(/^(?!\.{1,2}$)[^\s/:]{1,15}$/, 'must be the name of an interface')(value, at)
}

/** A directory's name in resctrl; `/` is the group of all. */
function closId(value: unknown, at: string): void {
  check.matching(/^(?:\/|(?!\.{0,2}$)[^/\n]{1,4095})$/, 'must be the name of a directory, or "/"')(value, at)
}
