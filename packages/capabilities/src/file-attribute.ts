import { ConfigInvalid } from '@libcontainer/sys'
import { formatText, parseText } from './text.js'

/** What a program's file gives to whoever executes it: capabilities(7), "File capabilities". */
export interface FileCapabilities {
  /** What the process gets, as far as its bounding set has it: a mask. */
  readonly permitted: bigint
  /** What of its inheritable set becomes permitted: a mask. */
  readonly inheritable: bigint
  /** All that it gets is effective at once, as programs that know nothing of capabilities need it. */
  readonly effective: boolean
  /**
   * The uid, of the user namespace of whoever reads it, that is root of the one in which alone the file gives anything. Default: the initial
   * one, or that of whoever writes it: the kernel tells of neither.
   */
  readonly rootId?: number | undefined
}

/** vfs_cap_data of linux/capability.h: the revision in the highest byte of the first word, the flag in its lowest bit. */
const REVISIONS = new Map([
  [1, 12],
  [2, 20],
  [3, 24],
])
const EFFECTIVE = 1
const MAX_ID = 0xffff_fffe

/**
 * The value of a `security.capability` attribute.
 *
 * @throws {ConfigInvalid} for bytes that the kernel would not take
 */
export function decodeFileCapabilities(value: Uint8Array): FileCapabilities {
  const refuse = (problem: string): never => {
    throw new ConfigInvalid('security.capability', hex(value), problem)
  }
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const magic = value.length >= 4 ? view.getUint32(0, true) : refuse('must have a revision')
  const revision = magic >>> 24
  if ((magic & 0xff_fffe) !== 0 || !REVISIONS.has(revision)) return refuse('must be of revision 1, 2 or 3')
  const size = REVISIONS.get(revision)!
  if (value.length !== size) return refuse(`must have ${size} bytes in revision ${revision}`)
  const word = (at: number): bigint => BigInt(view.getUint32(at, true))
  const wide = revision > 1
  return {
    permitted: word(4) | (wide ? word(12) << 32n : 0n),
    inheritable: word(8) | (wide ? word(16) << 32n : 0n),
    effective: (magic & EFFECTIVE) !== 0,
    ...(revision === 3 && { rootId: view.getUint32(20, true) }),
  }
}

/**
 * Capabilities as a value of `security.capability`: of revision 2, or 3 with a `rootId` other than 0.
 *
 * @throws {ConfigInvalid} for what is no mask of 64 bits, or no id
 */
export function encodeFileCapabilities(capabilities: FileCapabilities, field = 'file'): Uint8Array {
  const { permitted, inheritable, effective, rootId = 0 } = capabilities
  checkMask(permitted, `${field}.permitted`)
  checkMask(inheritable, `${field}.inheritable`)
  if (typeof effective !== 'boolean')
    throw new ConfigInvalid(`${field}.effective`, effective, 'must be true or false: it holds for all of them')
  if (!Number.isInteger(rootId) || rootId < 0 || rootId > MAX_ID)
    throw new ConfigInvalid(`${field}.rootId`, rootId, `must be an id from 0 to ${MAX_ID}`)
  const revision = rootId === 0 ? 2 : 3
  const view = new DataView(new ArrayBuffer(REVISIONS.get(revision)!))
  view.setUint32(0, (revision << 24) | (effective ? EFFECTIVE : 0), true)
  view.setBigUint64(4, (permitted & 0xffff_ffffn) | ((inheritable & 0xffff_ffffn) << 32n), true)
  view.setBigUint64(12, (permitted >> 32n) | ((inheritable >> 32n) << 32n), true)
  if (rootId !== 0) view.setUint32(20, rootId, true)
  return new Uint8Array(view.buffer)
}

/**
 * As setcap(8) takes it: `cap_net_raw,cap_kill=ep`, with what {@link parseText} knows besides.
 *
 * @throws {ConfigInvalid} where some are effective and others not: a file has one flag for all
 */
export function parseFileCapabilities(text: string): FileCapabilities {
  const { permitted, inheritable, effective } = parseText(text)
  if (effective !== 0n && effective !== (permitted | inheritable))
    throw new ConfigInvalid('text', text, 'must make all of its capabilities effective, or none')
  return { permitted, inheritable, effective: effective !== 0n }
}

/** As getcap(8) shows it with `-n`: `cap_net_raw=ep [rootid=1000]`. */
export function formatFileCapabilities({ permitted, inheritable, effective, rootId }: FileCapabilities): string {
  const text = formatText({ permitted, inheritable, effective: effective ? permitted | inheritable : 0n })
  return rootId ? `${text} [rootid=${rootId}]` : text
}

function checkMask(mask: unknown, field: string): void {
  if (typeof mask !== 'bigint' || mask < 0n || mask >= 1n << 64n)
    throw new ConfigInvalid(field, mask, 'must be a mask: a bigint of 64 bits, such as toMask() makes')
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
