import type { Waiting } from '@libcontainer/sys'
import { linkIndex } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import type { NetlinkMessage } from '../message/wire.js'
import type { Dump, DumpedList, NetlinkSocket } from '../socket/socket.js'
import { type Address, parseAddressMessage } from './address.js'
import { type AddressOptions, addAddress, deleteAddress, listAddresses, RTM_NEWADDR, turnTo } from './messages.js'
import type { Family } from './text.js'

export interface ListAddressesOptions extends Waiting {
  /** Default: both */
  family?: Family | undefined
  /** Default: those of all links */
  link?: LinkReference | undefined
}

/** An address as {@link Addresses.addAll} takes it. */
export type NewAddress = string | (AddressOptions & { address: string })

/** The addresses of a namespace's links. */
export class Addresses {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All addresses, or those of a link or a family, at once. @throws {SyscallError} `ENODEV` for no such link */
  async list({ link, family, signal }: ListAddressesOptions = {}): Promise<DumpedList<Address>> {
    const index = link === undefined ? undefined : await this.#index(link, signal)
    return await this.#socket.list({ ...listAddresses({ family, index }), signal, map: addressOf(index) })
  }

  /** The same one by one, as they come. @param options.link - by its index */
  dump({ link, family, signal }: ListAddressesOptions & { link?: number | undefined } = {}): Dump<Address> {
    return this.#socket.dump({ ...listAddresses({ family, index: link }), signal, map: addressOf(link) })
  }

  /**
   * Gives a link an address.
   *
   * @param address - `192.0.2.1/24`, `2001:db8::1/64`; without a length it stands alone
   * @throws {ConfigInvalid} by field, before anything is asked of the kernel
   * @throws {SyscallError} `EEXIST` when the link has it, `ENODEV` for no such link, `EPERM` without CAP_NET_ADMIN
   */
  async add(
    link: LinkReference,
    address: string,
    { signal, ...options }: AddressOptions & Waiting = {},
  ): Promise<void> {
    addAddress(1, address, options)
    await this.#socket.request({ ...addAddress(await this.#index(link, signal), address, options), signal })
  }

  /** {@link add}, and changes one that is there: its lifetimes, flags, metric. */
  async replace(
    link: LinkReference,
    address: string,
    { signal, ...options }: AddressOptions & Waiting = {},
  ): Promise<void> {
    addAddress(1, address, options, 'replace')
    await this.#socket.request({ ...addAddress(await this.#index(link, signal), address, options, 'replace'), signal })
  }

  /** Gives a link many addresses, in as few system calls as go. When one is refused, the others are taken back. */
  async addAll(link: LinkReference, addresses: readonly NewAddress[], { signal }: Waiting = {}): Promise<void> {
    const all = addresses.map(each => (typeof each === 'string' ? { address: each } : each))
    const requests = all.map(({ address, ...options }) => addAddress(1, address, options))
    const index = await this.#index(link, signal)
    signal?.throwIfAborted()
    for (const request of requests) turnTo(index, request)
    const answers = await this.#socket.batch(requests)
    const refused = answers.find(({ error }) => error !== undefined)?.error
    if (refused === undefined) return
    const made = all.filter((_, i) => answers[i]!.error === undefined)
    await this.#socket.batch(made.map(({ address, peer, label }) => deleteAddress(index, address, { peer, label })))
    throw refused
  }

  /**
   * Takes an address from a link.
   *
   * @param address - with the length that it was given with, or as it was listed
   * @throws {SyscallError} `EADDRNOTAVAIL` when the link does not have it
   */
  async delete(
    link: LinkReference,
    address: string | Address,
    { signal, ...options }: Pick<AddressOptions, 'peer' | 'label'> & Waiting = {},
  ): Promise<void> {
    const [text, rest] = typeof address === 'string' ? [address, options] : listed(address)
    deleteAddress(1, text, rest)
    await this.#socket.request({ ...deleteAddress(await this.#index(link, signal), text, rest), signal })
  }

  /** Takes all addresses from a link, or those of a family. */
  async flush(link: LinkReference, { family, signal }: Omit<ListAddressesOptions, 'link'> = {}): Promise<void> {
    const index = await this.#index(link, signal)
    const all = await this.list({ link: index, family, signal })
    const answers = await this.#socket.batch(
      all.map(address => deleteAddress(index, ...listed(address))),
      { signal },
    )
    // A secondary address of IPv4 goes with the one that it is second to: net.ipv4.conf.*.promote_secondaries.
    const refused = answers.find(({ error }) => error !== undefined && error.code !== 'EADDRNOTAVAIL')?.error
    if (refused !== undefined) throw refused
  }

  async #index(link: LinkReference, signal: AbortSignal | undefined): Promise<number> {
    return await linkIndex(this.#socket, link, 'link', { signal })
  }
}

/** An address as it has to be told where it is deleted. */
function listed({
  address,
  prefixLength,
  peer,
  label,
}: Address): [address: string, options: Pick<AddressOptions, 'peer' | 'label'>] {
  if (peer === undefined) return [`${address}/${prefixLength}`, { label }]
  return [address, { peer: `${peer}/${prefixLength}`, label }]
}

/** A kernel from before 4.20 answers with the addresses of all links. */
function addressOf(index: number | undefined): (message: NetlinkMessage) => Address | undefined {
  return ({ type, payload }) => {
    const address = type === RTM_NEWADDR ? parseAddressMessage(payload) : undefined
    return index === undefined || address?.link === index ? address : undefined
  }
}
