import type { Waiting } from '@libcontainer/sys'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { type MessageBody, messageBody, type NetlinkRequest } from '../message/message.js'
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE, protocolError } from '../message/wire.js'
import { checkInteger, MAX_U32 } from '../message/words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import {
  decodeNextHop,
  type NextHop,
  type NextHopObjectSpec,
  nextHopAttributes,
  nextHopBody,
  nextHopHeader,
} from './nexthop.js'

const RTM_NEWNEXTHOP = 104
const RTM_DELNEXTHOP = 105
const RTM_GETNEXTHOP = 106

export interface NextHopFilter extends Waiting {
  dev?: LinkReference | undefined
  /** Those whose link is a port of this one. */
  master?: LinkReference | undefined
  /** Groups alone. Default: `false` */
  groups?: boolean | undefined
  /** Those of forwarding tables alone. Default: `false` */
  fdb?: boolean | undefined
}

/** Nexthop objects of a network namespace: ip-nexthop(8). Linux 5.3. */
export class NextHops {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: NextHopFilter = {}): Promise<DumpedList<NextHop>> {
    const { dev, master } = filter
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { dev, master }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - links by their numbers */
  dump(filter: NextHopFilter & { dev?: number | undefined; master?: number | undefined } = {}): Dump<NextHop> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /** One, by its id. @throws {SyscallError} `ENOENT` where there is none */
  async get(id: number, { signal }: Waiting = {}): Promise<NextHop> {
    const answer = await this.#socket.request({
      type: RTM_GETNEXTHOP,
      body: keyBody(id),
      about: `find the nexthop ${id}`,
      signal,
    })
    if (answer === undefined) throw protocolError('tells of no nexthop')
    return decodeNextHop(answer.payload)
  }

  /**
   * Makes one.
   *
   * @returns its id
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EEXIST` where there is one with this id, `ENETDOWN` where its link is down
   */
  async add(nextHop: NextHopObjectSpec, waiting: Waiting = {}): Promise<number> {
    return this.#make(nextHop, NLM_F_CREATE | NLM_F_EXCL, 'add', waiting)
  }

  /** Makes one, or changes the one with this id, whose routes then lead by it. @returns its id */
  async replace(nextHop: NextHopObjectSpec, waiting: Waiting = {}): Promise<number> {
    return this.#make(nextHop, NLM_F_CREATE | NLM_F_REPLACE, 'replace', waiting)
  }

  /** Deletes one, and all routes that lead by it. @throws {SyscallError} `ENOENT` where there is none */
  async delete(id: number, { signal }: Waiting = {}): Promise<void> {
    await this.#socket.request({ type: RTM_DELNEXTHOP, body: keyBody(id), about: `delete the nexthop ${id}`, signal })
  }

  async #make(spec: NextHopObjectSpec, flags: number, act: string, waiting: Waiting): Promise<number> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_NEWNEXTHOP,
      // Where the kernel chooses the id it has to tell: it sends whoever asks for an echo what it has made.
      flags: spec.id === undefined ? flags | NLM_F_ECHO : flags,
      body: nextHopBody(spec, index),
      about: `${act} the nexthop${spec.id === undefined ? '' : ` ${spec.id}`}`,
    })
    const answer = await requestWithLinks(this.#socket, { dev: spec.dev }, make, waiting)
    const id = spec.id ?? (answer?.type === RTM_NEWNEXTHOP ? decodeNextHop(answer.payload).id : undefined)
    if (id === undefined) throw protocolError('does not tell the id of the nexthop')
    return id
  }
}

function keyBody(id: number): MessageBody {
  return messageBody(nextHopHeader, {}, nextHopAttributes, { id: checkInteger(id, 'id', 1, MAX_U32) })
}

function dumpRequest(
  { dev, master, groups, fdb, signal }: NextHopFilter,
  index: LinkIndex = numbered,
): DumpRequest<NextHop> {
  return {
    type: RTM_GETNEXTHOP,
    body: messageBody(nextHopHeader, {}, nextHopAttributes, {
      dev: index(dev, 'dev'),
      groups,
      master: index(master, 'master'),
      fdb,
    }),
    about: 'list the nexthops',
    map: ({ payload }) => decodeNextHop(payload),
    signal,
  }
}
