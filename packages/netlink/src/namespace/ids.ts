import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { attributes, decodeAttributes, s32, struct, u8, u32 } from '../message/attributes.js'
import { messageBody } from '../message/message.js'
import type { NetlinkMessage } from '../message/wire.js'
import type { DumpedList, NetlinkSocket } from '../socket/socket.js'
import { type NamespaceTarget, openNamespace } from './namespace.js'

const RTM_NEWNSID = 88
const RTM_GETNSID = 90
/** NETNSA_NSID_NOT_ASSIGNED: none, or with RTM_NEWNSID one that the kernel chooses. */
const NONE = -1
const MAX_ID = 0x7fffffff

/** struct rtgenmsg. */
const header = struct({ family: u8 })
const headerSize = 4

const table = attributes({
  nsid: [1, s32],
  pid: [2, u32],
  fd: [3, u32],
  targetNsid: [4, s32],
  currentNsid: [5, s32],
})

/**
 * The numbers that a network namespace has for others: what tells of a link whose other end is elsewhere names that place by such a number (IFLA_LINK_NETNSID).
 * Each namespace has numbers of its own.
 */
export class NamespaceIds {
  readonly #socket: NetlinkSocket

  /** @param socket - of NETLINK_ROUTE, in the namespace whose numbers are meant */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** The number of a namespace; `undefined` when it has none here. */
  async get(namespace: NamespaceTarget, { signal }: Waiting = {}): Promise<number | undefined> {
    const fd = await openNamespace(namespace)
    try {
      const answer = await this.#socket.request({
        type: RTM_GETNSID,
        body: messageBody(header, {}, table, { fd: fd.fd }),
        about: 'ask for the number of a network namespace',
        signal,
      })
      return answer && idOf(answer)
    } finally {
      fd.close()
    }
  }

  /**
   * Gives a namespace a number, which stays as long as both are there.
   *
   * @param id - or `'auto'`, for one that the kernel chooses
   * @returns the number
   * @throws {SyscallError} `EEXIST` when it has one already, or another namespace has this
   */
  async set(namespace: NamespaceTarget, id: number | 'auto', { signal }: Waiting = {}): Promise<number> {
    if (id !== 'auto' && (!Number.isInteger(id) || id < 0 || id > MAX_ID))
      throw new ConfigInvalid('id', id, `must be a whole number from 0 to ${MAX_ID}, or 'auto'`)
    const fd = await openNamespace(namespace)
    try {
      await this.#socket.request({
        type: RTM_NEWNSID,
        body: messageBody(header, {}, table, { fd: fd.fd, nsid: id === 'auto' ? NONE : id }),
        about: 'give a network namespace a number',
        hints: { EEXIST: 'a namespace keeps the number that it has, and a number means one namespace' },
        signal,
      })
      return id === 'auto' ? ((await this.get(fd, { signal })) ?? NONE) : id
    } finally {
      fd.close()
    }
  }

  /** All numbers that are given. */
  async list({ signal }: Waiting = {}): Promise<DumpedList<number>> {
    return await this.#socket.list({
      type: RTM_GETNSID,
      body: messageBody(header, {}),
      about: 'list the numbers of network namespaces',
      map: idOf,
      signal,
    })
  }
}

function idOf({ type, payload }: NetlinkMessage): number | undefined {
  if (type !== RTM_NEWNSID) return undefined
  const { nsid } = decodeAttributes(table, payload, headerSize)
  return nsid === NONE ? undefined : nsid
}
