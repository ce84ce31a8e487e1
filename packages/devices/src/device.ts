import { ConfigInvalid, kernelString, namesOfPath } from '@libcontainer/sys'
import { type Access, normalAccess } from './access.js'
import { checkNumber, MAX_MAJOR, MAX_MINOR } from './numbers.js'
import { type NodeType, nodeType } from './types.js'

/** A device node as a configuration asks for it. */
export interface DeviceRequest {
  /** Absolute, in the container. */
  path: string
  /** `c`, `b`, `p` (a FIFO) or `u`, which is `c`. Configurations of 2015 hold the letter's code point. */
  type: NodeType | 'u' | number
  /** Of a FIFO: ignored. */
  major?: number | undefined
  minor?: number | undefined
  /** Permission bits; those of the type are ignored. Default: 0666. */
  mode?: number | undefined
  /** The owner, by the container's ids. Default: 0. */
  uid?: number | undefined
  gid?: number | undefined
  /** What a rule made of it allows. Default: `rwm`. */
  access?: string | undefined
  /** The node of the host to bind where making one is refused. Default: the same path. */
  source?: string | undefined
}

/** A device node with every field said. */
export interface Device {
  readonly path: string
  readonly type: NodeType
  readonly major: number
  readonly minor: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly access: Access
  readonly source?: string | undefined
}

const FIELDS = ['path', 'type', 'major', 'minor', 'mode', 'uid', 'gid', 'access', 'source']
const MAX_ID = 4294967294
const PERMISSIONS = 0o7777

/**
 * A request as a device, with its defaults.
 *
 * @param field - where it stands in the configuration, for errors
 * @throws {ConfigInvalid} for a relative path, an unknown type, a wildcard or a number beyond the kernel's
 */
export function device(request: DeviceRequest, field = 'device'): Device {
  if (typeof request !== 'object' || request === null) throw new ConfigInvalid(field, request, 'must be an object')
  for (const key of Object.keys(request)) {
    if (!FIELDS.includes(key)) throw new ConfigInvalid(`${field}.${key}`, key, `must be one of ${FIELDS.join(', ')}`)
  }
  const type = nodeType(request.type, `${field}.type`)
  const numbered = type !== 'p'
  const { mode = 0o666, uid = 0, gid = 0, access = 'rwm', source } = request
  return {
    path: cleanPath(request.path, `${field}.path`),
    type,
    major: numbered ? checkNumber(request.major, MAX_MAJOR, `${field}.major`) : 0,
    minor: numbered ? checkNumber(request.minor, MAX_MINOR, `${field}.minor`) : 0,
    mode: checkNumber(mode, 0o177777, `${field}.mode`) & PERMISSIONS,
    uid: checkNumber(uid, MAX_ID, `${field}.uid`),
    gid: checkNumber(gid, MAX_ID, `${field}.gid`),
    access: normalAccess(access, `${field}.access`),
    ...(source !== undefined && { source: cleanPath(source, `${field}.source`) }),
  }
}

/** An absolute path without `.`, `..` and doubled slashes, that names something below `/`. */
function cleanPath(path: unknown, field: string): string {
  const text = kernelString(path as string, field)
  if (!text.startsWith('/')) throw new ConfigInvalid(field, text, 'must be an absolute path')
  const names = namesOfPath(text)
  if (names.length === 0) throw new ConfigInvalid(field, text, 'must name a file')
  return `/${names.join('/')}`
}
