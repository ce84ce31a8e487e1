import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import { decodeKind, encodeKind, type KindSpec, type OfKind } from '../link/kind-options.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import type { UnknownAttribute } from '../message/attributes.js'
import { needBytes } from '../message/codec.js'
import { type MessageBody, messageBody, type NetlinkRequest, readBody } from '../message/message.js'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, viewOf } from '../message/wire.js'
import { wordIn } from '../message/words.js'
import { checkTaken, youngerQdiscOptions } from '../message/younger.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { formatHandle, parseHandle, parseQdiscHandle, TC_H_INGRESS, TC_H_ROOT } from './handle.js'
import { type QdiscKindOptions, qdiscKinds } from './kinds/index.js'
import {
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_NEWQDISC,
  readStatistics,
  type TcStatistics,
  tcAttributes,
  tcHeader,
} from './tc-attributes.js'

/** How packets of a link wait, and which are late or lost. Its options stand in the field of its kind's name: `qdisc.netem`. */
export type Qdisc = OfKind<QdiscKindOptions> & {
  /** The number of the link. */
  dev: number
  /** `1:`; `none` of one that the kernel has made itself. */
  handle: string
  /** `root`, `ingress`, or the class that it is in: `1:10`. */
  parent: string
  statistics: TcStatistics
  ingressBlock?: number
  egressBlock?: number
  unknown?: readonly UnknownAttribute[]
}

/**
 * A queueing discipline that is asked for: `dev` and one kind have to be there, as in `{ dev: 'eth0', netem: { delayUs: 100_000 } }`. `parent` is
 * `root` unless it is given (of ingress and clsact their own), and the kernel chooses `handle`.
 */
export type QdiscSpec = KindSpec<QdiscKindOptions> & {
  /** A name, or a number. */
  dev: LinkReference
  handle?: string | undefined
  parent?: string | undefined
  ingressBlock?: number | undefined
  egressBlock?: number | undefined
}

/** Which one is meant: that at a parent (`root` unless it is given), and if it has this handle. */
export interface QdiscKey {
  dev: LinkReference
  parent?: string | undefined
  handle?: string | undefined
}

export interface QdiscFilter extends Waiting {
  dev?: LinkReference | undefined
  /** Also those that the kernel hides, such as the ones a device has by default. Default: `false` */
  invisible?: boolean | undefined
}

export interface AddQdiscOptions extends Waiting {
  /**
   * What becomes of one at this parent: `add` leaves it (`EEXIST`; one that the kernel made itself goes), `replace` puts this in its place, `change`
   * gives it these options. Default: `add`
   */
  mode?: QdiscMode | undefined
}
export type QdiscMode = 'add' | 'replace' | 'change'

export const QDISC_MODES: Readonly<Record<QdiscMode, number>> = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
  change: 0,
}

const FIELDS: readonly (keyof Qdisc)[] = [
  'dev',
  'handle',
  'parent',
  'kind',
  'options',
  ...(Object.keys(qdiscKinds) as (keyof QdiscKindOptions)[]),
  'ingressBlock',
  'egressBlock',
  'statistics',
  'unknown',
]

/** Kinds that take no packets that leave; ffff: is their number. */
const INCOMING = ['ingress', 'clsact']
const INGRESS_HANDLE = 0xffff_0000

/** The message that makes a queueing discipline. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function qdiscBody(spec: QdiscSpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
  const { kind, options } = encodeKind(qdiscKinds, spec)
  const incoming = INCOMING.includes(kind)
  const parent = parentOf(spec.parent ?? (incoming ? 'ingress' : 'root'))
  if (incoming !== (parent === TC_H_INGRESS))
    throw new ConfigInvalid(
      'parent',
      spec.parent,
      incoming ? `must be ingress for ${kind}` : `must not be ingress for ${kind}`,
    )
  const handle = spec.handle === undefined ? 0 : parseQdiscHandle(spec.handle)
  return messageBody(
    tcHeader,
    { dev: index(spec.dev, 'dev'), handle: incoming ? INGRESS_HANDLE : handle, parent },
    tcAttributes,
    { kind, options, ingressBlock: spec.ingressBlock, egressBlock: spec.egressBlock },
  )
}

function keyBody({ dev, parent = 'root', handle }: QdiscKey, index: LinkIndex): MessageBody {
  return messageBody(tcHeader, {
    dev: index(dev, 'dev'),
    handle: handle === undefined || handle === 'none' ? 0 : parseQdiscHandle(handle),
    parent: parentOf(parent),
  })
}

function parentOf(text: string): number {
  const parent = parseHandle(text, 'parent')
  if (parent !== TC_H_ROOT && parent !== TC_H_INGRESS && (parent & 0xffff) === 0)
    throw new ConfigInvalid('parent', text, 'must be root, ingress or a class such as 1:10')
  return parent
}

/** The queueing discipline in a message of the kernel. @throws {LibcontainerError} `EPROTO` */
export function decodeQdisc(payload: Uint8Array): Qdisc {
  const { header, attributes: values } = readBody(tcHeader, tcAttributes, payload)
  const qdisc: Qdisc = {
    ...decodeKind(qdiscKinds, values.kind ?? '', values.options),
    dev: header.dev,
    handle: formatHandle(header.handle),
    parent: formatHandle(header.parent),
    statistics: readStatistics(values.statistics),
  }
  if (values.ingressBlock !== undefined) qdisc.ingressBlock = values.ingressBlock
  if (values.egressBlock !== undefined) qdisc.egressBlock = values.egressBlock
  if (values.unknown !== undefined) qdisc.unknown = values.unknown
  return qdisc
}

/** The request that makes a queueing discipline, for a batch of several: its link is a number. @throws {ConfigInvalid} that names the field */
export function addQdiscRequest(qdisc: QdiscSpec, mode: QdiscMode = 'add', index?: LinkIndex): NetlinkRequest {
  return {
    type: RTM_NEWQDISC,
    flags: wordIn(QDISC_MODES, mode, 'mode'),
    body: qdiscBody(qdisc, index),
    about: `${mode} a queueing discipline of ${qdisc.dev}`,
    hints: {
      ENOENT:
        'the kernel may lack this kind (a module such as sch_netem), or the class that is its parent is not there',
    },
  }
}

/** Queueing disciplines of a network namespace: tc(8), `tc qdisc`. */
export class Qdiscs {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: QdiscFilter = {}): Promise<DumpedList<Qdisc>> {
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { dev: filter.dev }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - the link by its number */
  dump(filter: QdiscFilter & { dev?: number | undefined } = {}): Dump<Qdisc> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /**
   * Makes one.
   *
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EEXIST` where there is one, `ENOENT` for a kind that the kernel lacks or a parent that is not there, `EOPNOTSUPP` for an
   * option that it lacks: what was there is changed then, a new one is not made
   */
  async add(qdisc: QdiscSpec, { mode = 'add', signal }: AddQdiscOptions = {}): Promise<void> {
    const make = (index: LinkIndex) => addQdiscRequest(qdisc, mode, index)
    await requestWithLinks(this.#socket, { dev: qdisc.dev }, make, { signal })
    const younger = youngerQdiscOptions(qdisc)
    if (younger.length === 0) return
    const parent = formatHandle(parentOf(qdisc.parent ?? 'root'))
    const there = (await this.list({ dev: qdisc.dev, signal })).find(each => each.parent === parent)
    try {
      checkTaken(younger, there ?? {}, String(qdisc.dev))
    } catch (error) {
      if (mode === 'add') await this.delete({ dev: qdisc.dev, parent })
      throw error
    }
  }

  /** Makes one, in the place of the one that is there. @throws as {@link add} does */
  async replace(qdisc: QdiscSpec, waiting: Waiting = {}): Promise<void> {
    await this.add(qdisc, { ...waiting, mode: 'replace' })
  }

  /** Gives the one that is there other options. @throws as {@link add} does */
  async change(qdisc: QdiscSpec, waiting: Waiting = {}): Promise<void> {
    await this.add(qdisc, { ...waiting, mode: 'change' })
  }

  /** Deletes one, with its classes and theirs: the kernel's own is there again. @throws {SyscallError} `ENOENT` or `EINVAL` where there is none */
  async delete(key: QdiscKey, waiting: Waiting = {}): Promise<void> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_DELQDISC,
      body: keyBody(key, index),
      about: `delete the queueing discipline of ${key.dev}`,
    })
    await requestWithLinks(this.#socket, { dev: key.dev }, make, waiting)
  }
}

function dumpRequest({ dev, invisible = false, signal }: QdiscFilter, index: LinkIndex = numbered): DumpRequest<Qdisc> {
  const wanted = index(dev, 'dev')
  return {
    type: RTM_GETQDISC,
    body: messageBody(tcHeader, {}, tcAttributes, { invisible }),
    about: 'list the queueing disciplines',
    // The kernel tells those of all links.
    map: ({ payload }) => (wanted === undefined || devOf(payload) === wanted ? decodeQdisc(payload) : undefined),
    signal,
  }
}

function devOf(payload: Uint8Array): number {
  needBytes(payload.length, tcHeader.size)
  return viewOf(payload).getInt32(payload.byteOffset + 4, true)
}
