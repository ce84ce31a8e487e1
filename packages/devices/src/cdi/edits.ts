import { ConfigInvalid } from '@libcontainer/sys'
import type { Device } from '../device.js'
import { device } from '../device.js'
import { deviceFromPath } from '../host.js'
import { type DeviceRule, ruleOf } from '../rule.js'
import { nodeType } from '../types.js'
import type { CdiContainerEdits, CdiDeviceNode, CdiIntelRdt, CdiNetDevice } from './spec.js'

/** A program that runs beside a container's life, as a container's config has it. */
export interface EditHook {
  readonly point: 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop'
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly timeoutMs?: number
}

/** What devices of the Container Device Interface ask of a container, as data: {@link withEdits} of `@libcontainer/container` puts it into a config. */
export interface DeviceEdits {
  /** With what the host says of their nodes; one without `uid` or `gid` of its own is to be given to the user of the process. */
  readonly devices: readonly (Device & { readonly ownUid: boolean; readonly ownGid: boolean })[]
  readonly rules: readonly DeviceRule[]
  readonly mounts: readonly {
    readonly source: string
    readonly destination: string
    readonly type?: string
    readonly options?: readonly string[]
  }[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly hooks: readonly EditHook[]
  readonly additionalGroups: readonly number[]
  readonly netDevices: readonly CdiNetDevice[]
  readonly intelRdt?: CdiIntelRdt | undefined
}

/**
 * The edits of some files and devices, in order, with what the host says of nodes that they do not describe themselves.
 *
 * @throws {ConfigInvalid} for a node whose type on the host is another; {@link NotADevice}, {@link SyscallError} where the host has no such node
 */
export async function resolveEdits(all: readonly CdiContainerEdits[]): Promise<DeviceEdits> {
  const nodes = await Promise.all(all.flatMap(({ deviceNodes }) => deviceNodes ?? []).map(resolveNode))
  const intelRdt = all.findLast(edits => edits.intelRdt)?.intelRdt
  return {
    devices: nodes.map(({ node }) => node),
    rules: nodes.flatMap(({ rule }) => rule ?? []),
    mounts: all.flatMap(({ mounts }) =>
      (mounts ?? []).map(({ hostPath, containerPath, type, options }) => ({
        source: hostPath,
        destination: containerPath,
        ...(type && { type }),
        ...mountOptions(type, options),
      })),
    ),
    env: all.flatMap(({ env }) => env ?? []),
    hooks: all.flatMap(({ hooks }) =>
      (hooks ?? []).map(({ hookName, path, args, env, timeout }) => ({
        point: hookName as EditHook['point'],
        path,
        ...(args && { args }),
        ...(env && { env }),
        ...(timeout && { timeoutMs: timeout * 1000 }),
      })),
    ),
    // The group 0 is what an encoder writes for none.
    additionalGroups: [...new Set(all.flatMap(({ additionalGids }) => additionalGids ?? []))].filter(id => id !== 0),
    netDevices: all.flatMap(({ netDevices }) => netDevices ?? []),
    ...(intelRdt && { intelRdt }),
  }
}

/** Without a type it can only be a bind, whatever else its options say. */
function mountOptions(type: string | null | undefined, options: readonly string[] | null | undefined) {
  const words = options ?? []
  if (type || words.includes('bind') || words.includes('rbind')) return words.length === 0 ? {} : { options: words }
  return { options: ['rbind', ...words] }
}

type Resolved = { node: DeviceEdits['devices'][number]; rule: DeviceRule | undefined }

/** A type and a major number are a whole description; without them the host's node says what it is. */
async function resolveNode(given: CdiDeviceNode): Promise<Resolved> {
  const { path, permissions, uid, gid } = given
  const source = given.hostPath || path
  const type = given.type ? nodeType(given.type) : undefined
  const whole = type === 'p' || (type !== undefined && Boolean(given.major))
  const found = await deviceFromPath(source).catch((error: unknown) => {
    if (whole) return undefined
    throw error
  })
  if (!whole && type !== undefined && found?.type !== type)
    throw new ConfigInvalid('deviceNodes.type', given.type, `must be ${found?.type}, which ${source} of the host is`)
  const mode = given.fileMode ?? found?.mode
  const node = device(
    {
      path,
      type: type ?? found!.type,
      major: whole ? (given.major ?? 0) : found!.major,
      minor: whole ? (given.minor ?? 0) : found!.minor,
      ...(mode !== undefined && { mode }),
      uid: uid ?? 0,
      gid: gid ?? 0,
      // A node needs a right to be data of; the rule says which ones hold.
      access: permissions && permissions !== 'none' ? permissions : 'rwm',
      source,
    },
    'deviceNodes',
  )
  const ruled = node.type !== 'p' && permissions !== 'none'
  return {
    node: { ...node, ownUid: uid !== undefined && uid !== null, ownGid: gid !== undefined && gid !== null },
    rule: ruled ? ruleOf(node) : undefined,
  }
}
