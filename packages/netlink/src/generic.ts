import { ConfigInvalid, kernelString, type Waiting } from '@libcontainer/sys'
import {
  type AttributeTable,
  attributes,
  decodeAttributes,
  listOf,
  nested,
  string,
  struct,
  u8,
  u16,
  u32,
  type ValuesOf,
} from './message/attributes.js'
import { messageBody, type NetlinkRequest } from './message/message.js'
import { NETLINK_GENERIC, type NetlinkMessage, protocolError } from './message/wire.js'
import { Monitor, type MonitorOptions } from './monitor.js'
import { type Dump, type DumpedList, NetlinkSocket, type SocketOptions } from './socket/socket.js'

/** struct genlmsghdr. */
const header = struct({ command: u8, version: u8, reserved: u16 })

/** The family that tells of families. */
const GENL_ID_CTRL = 16
const CTRL_CMD_GETFAMILY = 3
/** GENL_NAMSIZ holds a NUL, too. */
const LONGEST_NAME = 15

const operationAttributes = attributes({ id: [1, u32], flags: [2, u32] })
const groupAttributes = attributes({ name: [1, string], id: [2, u32] })
const familyAttributes = attributes({
  id: [1, u16],
  name: [2, string],
  version: [3, u32],
  headerSize: [4, u32],
  maxAttribute: [5, u32],
  operations: [6, listOf(nested(operationAttributes))],
  groups: [7, listOf(nested(groupAttributes))],
})

/** What the kernel says of a family. */
export interface GenericFamilyInfo {
  readonly name: string
  /** Of messages: the kernel gives it when the family is registered. */
  readonly id: number
  readonly version: number
  /** Bytes of the family's own header, behind the generic one. */
  readonly headerSize: number
  readonly maxAttribute: number
  readonly operations: readonly { readonly id: number; readonly flags: number }[]
  /** Multicast groups by name. */
  readonly groups: ReadonlyMap<string, number>
}

/** One command of a family. */
export interface GenericRequest<V extends object, A extends object = V> extends Waiting {
  readonly command: number
  /** Default: the family's */
  readonly version?: number | undefined
  readonly flags?: number | undefined
  /** The family's own header, where it has one. */
  readonly header?: Uint8Array | undefined
  /** Of the attributes that are sent. */
  readonly table: AttributeTable<V>
  readonly values?: V | undefined
  /** Of those that are answered. Default: `table` */
  readonly answers?: AttributeTable<A> | undefined
  /** What is being done, for errors. */
  readonly about?: string | undefined
}

/** What a family answers or tells. */
export interface GenericMessage<V> {
  readonly command: number
  readonly version: number
  readonly values: V
}

/** Generic netlink: families of the kernel by their names, such as `nlctrl`, `wireguard` or `ethtool`. */
export class GenericNetlink implements AsyncDisposable {
  readonly socket: NetlinkSocket
  readonly #families = new Map<string, GenericFamily>()

  constructor(socket: NetlinkSocket) {
    this.socket = socket
  }

  static async open(options: Omit<SocketOptions, 'protocol'> = {}): Promise<GenericNetlink> {
    return new GenericNetlink(await NetlinkSocket.open({ ...options, protocol: NETLINK_GENERIC }))
  }

  /**
   * A family by its name, asked once.
   *
   * @throws {ConfigInvalid} for a name that none can have
   * @throws {SyscallError} `ENOENT` when the kernel has no such family
   */
  async family(name: string, { signal }: Waiting = {}): Promise<GenericFamily> {
    if (kernelString(name, 'family').length === 0 || name.length > LONGEST_NAME)
      throw new ConfigInvalid('family', name, `must be a name of 1 to ${LONGEST_NAME} characters`)
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const answer = await this.socket.request({
      ...askFamilies({ name }),
      signal,
      about: `look for the generic netlink family ${name}`,
      path: name,
      hints: { ENOENT: 'the kernel has no such family: its module may not be loaded' },
    })
    if (answer === undefined) throw protocolError('says nothing of a family')
    const family = new GenericFamily(this.socket, readFamily(answer))
    this.#families.set(name, family)
    return family
  }

  /** All families that the kernel has. */
  async families({ signal }: Waiting = {}): Promise<readonly GenericFamilyInfo[]> {
    return await this.socket.list({ ...askFamilies({}), signal, map: readFamily })
  }

  close(): void {
    this.socket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket[Symbol.asyncDispose]()
  }
}

const askFamilies = (values: ValuesOf<typeof familyAttributes>): Pick<NetlinkRequest, 'type' | 'body'> => ({
  type: GENL_ID_CTRL,
  body: messageBody(header, { command: CTRL_CMD_GETFAMILY, version: 1 }, familyAttributes, values),
})

/** Reads what the kernel tells of a family. */
export function readFamily({ payload }: NetlinkMessage): GenericFamilyInfo {
  if (payload.length < header.size) throw protocolError('ends within its generic header')
  const found = decodeAttributes(familyAttributes, payload, header.size)
  if (found.id === undefined || found.name === undefined) throw protocolError('tells of a family without name or id')
  return {
    name: found.name,
    id: found.id,
    version: found.version ?? 0,
    headerSize: found.headerSize ?? 0,
    maxAttribute: found.maxAttribute ?? 0,
    operations: (found.operations ?? []).map(({ id = 0, flags = 0 }) => ({ id, flags })),
    groups: new Map((found.groups ?? []).map(({ name = '', id = 0 }) => [name, id])),
  }
}

/** One family of a namespace. */
export class GenericFamily {
  readonly info: GenericFamilyInfo
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket, info: GenericFamilyInfo) {
    this.#socket = socket
    this.info = info
  }

  /** Sends a command: what it answers, or `undefined` where it is only acknowledged. */
  async request<V extends object, A extends object = V>(
    request: GenericRequest<V, A>,
  ): Promise<GenericMessage<A> | undefined> {
    const answer = await this.#socket.request(this.#message(request))
    return answer === undefined ? undefined : this.#read(answer, answersOf(request))
  }

  /** Streams what a command lists. */
  dump<V extends object, A extends object = V>(request: GenericRequest<V, A>): Dump<GenericMessage<A>> {
    const table = answersOf(request)
    return this.#socket.dump({ ...this.#message(request), map: message => this.#read(message, table) })
  }

  /** All that a command lists. */
  async list<V extends object, A extends object = V>(
    request: GenericRequest<V, A>,
  ): Promise<DumpedList<GenericMessage<A>>> {
    const table = answersOf(request)
    return await this.#socket.list({ ...this.#message(request), map: message => this.#read(message, table) })
  }

  /** What the family tells in its groups. @throws {ConfigInvalid} for a group that it has not */
  async monitor<V extends object>(
    groups: readonly string[],
    table: AttributeTable<V>,
    options: MonitorOptions = {},
  ): Promise<Monitor<GenericMessage<V>>> {
    const numbers = groups.map((name, i) => {
      const number = this.info.groups.get(name)
      if (number !== undefined) return number
      const known = [...this.info.groups.keys()].join(', ') || 'none'
      throw new ConfigInvalid(`groups[${i}]`, name, `must be a group of ${this.info.name}, which has: ${known}`)
    })
    const read = (message: NetlinkMessage): GenericMessage<V> | undefined =>
      message.type === this.info.id ? this.#read(message, table) : undefined
    return await Monitor.open(this.#socket, { groups: numbers, read }, options)
  }

  #message<V extends object, A extends object>(request: GenericRequest<V, A>): NetlinkRequest {
    const { command, version = this.info.version, flags, signal, table, values } = request
    const own = request.header ?? new Uint8Array(this.info.headerSize)
    if (own.length !== this.info.headerSize)
      throw new ConfigInvalid('header', own.length, `must be the ${this.info.headerSize} bytes of ${this.info.name}`)
    const start = messageBody(header, { command, version })
    const rest = messageBody(struct({}), {}, table, values)
    const attributesAt = start.bytes.length + ((own.length + 3) & ~3)
    const bytes = new Uint8Array(attributesAt + rest.bytes.length)
    bytes.set(start.bytes)
    bytes.set(own, start.bytes.length)
    bytes.set(rest.bytes, attributesAt)
    const about = request.about ?? `command ${command} of ${this.info.name}`
    return { type: this.info.id, flags, body: { bytes, table: table as AttributeTable, attributesAt }, about, signal }
  }

  #read<V extends object>({ payload }: NetlinkMessage, table: AttributeTable<V>): GenericMessage<V> {
    const behind = header.size + ((this.info.headerSize + 3) & ~3)
    if (payload.length < behind) throw protocolError('ends within its generic header')
    return { command: payload[0]!, version: payload[1]!, values: decodeAttributes(table, payload, behind) }
  }
}

const answersOf = <V extends object, A extends object>({ table, answers }: GenericRequest<V, A>): AttributeTable<A> =>
  answers ?? (table as unknown as AttributeTable<A>)
