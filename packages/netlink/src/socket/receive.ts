import { checked, SyscallError } from '@libcontainer/sys'
import { native } from '../native.js'

export const EAGAIN = 11
export const ENOBUFS = 105

/** A buffer that datagrams are received into, and what the last call has said. */
export class Receiver {
  readonly #buffer: Uint8Array
  /** error, strangers, sent, refused: see native/ops.c. */
  readonly #outcome = new Int32Array(4)
  readonly #outcomeBytes = new Uint8Array(this.#outcome.buffer)
  #size = 0
  /** Whether the kernel has dropped messages since the queue was last empty. */
  lost = false

  constructor(size: number) {
    this.#buffer = new Uint8Array(size)
  }

  /** Sends messages, as far as there is room for their answers, and takes what is there then. @returns why {@link sent} is not all, if that is an error */
  async exchange(fd: number, messages: Uint8Array): Promise<SyscallError | undefined> {
    this.#outcome.fill(0)
    this.#size = 0
    this.#size = checked(await native.async.exchangeNetlink(fd, messages, this.#buffer, this.#outcomeBytes), 'recvmsg')
    const refused = this.#outcome[3]!
    return refused === 0 ? undefined : new SyscallError(refused, 'sendto')
  }

  /** How many bytes of the messages the kernel has taken: those of whole ones. */
  get sent(): number {
    return this.#outcome[2]!
  }

  /** Datagrams behind each other, until the next call. */
  get received(): Uint8Array {
    return this.#buffer.subarray(0, this.#size)
  }

  /** Nothing more was there. */
  get drained(): boolean {
    return this.#outcome[0] === EAGAIN
  }

  /** The errno that ended it; 0 when there may be more, or nothing more was there. */
  get error(): number {
    const error = this.#outcome[0]!
    return error === EAGAIN ? 0 : error
  }
}
