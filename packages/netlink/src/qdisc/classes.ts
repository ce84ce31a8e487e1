import type { Waiting } from '@libcontainer/sys'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import { decodeKind, encodeKind, type KindSpec, type OfKind } from '../link/kind-options.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import type { UnknownAttribute } from '../message/attributes.js'
import { type MessageBody, messageBody, type NetlinkRequest, readBody } from '../message/message.js'
import { wordIn } from '../message/words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { formatHandle, parseClassId, parseHandle, parseQdiscHandle } from './handle.js'
import { type ClassKindOptions, classKinds } from './kinds/index.js'
import { QDISC_MODES, type QdiscMode } from './qdiscs.js'
import {
  RTM_DELTCLASS,
  RTM_GETTCLASS,
  RTM_NEWTCLASS,
  readStatistics,
  type TcStatistics,
  tcAttributes,
  tcHeader,
} from './tc-attributes.js'

/** A class of a queueing discipline that has some. Its options stand in the field of its kind's name: `trafficClass.htb`. */
export type TrafficClass = OfKind<ClassKindOptions> & {
  /** The number of the link. */
  dev: number
  /** `1:10`. */
  classid: string
  /** The class that it is in, or `root`: the discipline itself. */
  parent: string
  /** The handle of the discipline that packets of this class wait in: `10:`. */
  leaf?: string
  statistics: TcStatistics
  unknown?: readonly UnknownAttribute[]
}

/** A class that is asked for: `{ dev: 'eth0', parent: '1:', classid: '1:10', htb: { rateBytesPerSecond: 125_000 } }`. */
export type TrafficClassSpec = KindSpec<ClassKindOptions> & {
  /** A name, or a number. */
  dev: LinkReference
  classid: string
  /** The class that it is in, or the discipline itself: `1:`. */
  parent: string
}

export interface TrafficClassKey {
  dev: LinkReference
  classid: string
}

export interface TrafficClassFilter extends Waiting {
  dev: LinkReference
  /** Those of the discipline with this handle alone: `1:`. */
  qdisc?: string | undefined
}

export interface AddClassOptions extends Waiting {
  /** What becomes of one with this id: `add` leaves it (`EEXIST`), `replace` changes or makes it, `change` changes it (`ENOENT`). Default: `add` */
  mode?: QdiscMode | undefined
}

const FIELDS: readonly (keyof TrafficClass)[] = [
  'dev',
  'classid',
  'parent',
  'kind',
  'options',
  ...(Object.keys(classKinds) as (keyof ClassKindOptions)[]),
  'leaf',
  'statistics',
  'unknown',
]

/** The message that makes a class. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function classBody(spec: TrafficClassSpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
  return messageBody(
    tcHeader,
    { dev: index(spec.dev, 'dev'), handle: parseClassId(spec.classid), parent: parseHandle(spec.parent, 'parent') },
    tcAttributes,
    encodeKind(classKinds, spec),
  )
}

/** The class in a message of the kernel. @throws {LibcontainerError} `EPROTO` */
export function decodeClass(payload: Uint8Array): TrafficClass {
  const { header, attributes: values } = readBody(tcHeader, tcAttributes, payload)
  const found: TrafficClass = {
    ...decodeKind(classKinds, values.kind ?? '', values.options),
    dev: header.dev,
    classid: formatHandle(header.handle),
    parent: formatHandle(header.parent),
    statistics: readStatistics(values.statistics),
  }
  if (header.info !== 0) found.leaf = formatHandle(header.info)
  if (values.unknown !== undefined) found.unknown = values.unknown
  return found
}

/** The request that makes a class, for a batch of several: its link is a number. @throws {ConfigInvalid} that names the field */
export function addClassRequest(spec: TrafficClassSpec, mode: QdiscMode = 'add', index?: LinkIndex): NetlinkRequest {
  return {
    type: RTM_NEWTCLASS,
    flags: wordIn(QDISC_MODES, mode, 'mode'),
    body: classBody(spec, index),
    about: `${mode} the class ${spec.classid} of ${spec.dev}`,
  }
}

/** Classes of queueing disciplines of a network namespace: tc(8), `tc class`. */
export class TrafficClasses {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Those of a link, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: TrafficClassFilter): Promise<DumpedList<TrafficClass>> {
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { dev: filter.dev }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - the link by its number */
  dump(filter: TrafficClassFilter & { dev: number }): Dump<TrafficClass> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /**
   * Makes one.
   *
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EEXIST` where there is one, `ENOENT` where its discipline or parent is not there
   */
  async add(spec: TrafficClassSpec, { mode = 'add', signal }: AddClassOptions = {}): Promise<void> {
    const make = (index: LinkIndex) => addClassRequest(spec, mode, index)
    await requestWithLinks(this.#socket, { dev: spec.dev }, make, { signal })
  }

  /** Makes one, or changes the one with this id. @throws as {@link add} does */
  async replace(spec: TrafficClassSpec, waiting: Waiting = {}): Promise<void> {
    await this.add(spec, { ...waiting, mode: 'replace' })
  }

  /** @throws {SyscallError} `ENOENT` where there is none, `EBUSY` where others are in it */
  async delete({ dev, classid }: TrafficClassKey, waiting: Waiting = {}): Promise<void> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_DELTCLASS,
      body: messageBody(tcHeader, { dev: index(dev, 'dev'), handle: parseClassId(classid) }),
      about: `delete the class ${classid} of ${dev}`,
    })
    await requestWithLinks(this.#socket, { dev }, make, waiting)
  }
}

function dumpRequest(
  { dev, qdisc, signal }: TrafficClassFilter,
  index: LinkIndex = numbered,
): DumpRequest<TrafficClass> {
  return {
    type: RTM_GETTCLASS,
    body: messageBody(tcHeader, {
      dev: index(dev, 'dev'),
      parent: qdisc === undefined ? 0 : parseQdiscHandle(qdisc, 'qdisc'),
    }),
    about: 'list the classes',
    map: ({ payload }) => decodeClass(payload),
    signal,
  }
}
