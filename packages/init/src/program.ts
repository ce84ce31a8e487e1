import { loadAsset, type OwnedFd, programFd } from '@libcontainer/sys'

/** A program ready to execute; `done` closes what is of this one execution. */
export interface ProgramCarrier {
  readonly program: OwnedFd
  readonly done: () => void
}

/**
 * A program that prepares containers from inside: the one of this package, or one's own that is built like it.
 *
 * It is executed from memory: in a sealed memfd that all containers of this process share, or a copy of its own for each where one
 * container could spoil it for the next.
 */
export class InitProgram {
  /** What it gets after the number of its first descriptor. */
  readonly args: readonly string[]
  readonly #load: () => Uint8Array
  #bytes: Uint8Array | undefined
  #shared: OwnedFd | undefined

  /** @param load - the whole program, asked for once */
  constructor(load: () => Uint8Array, args: readonly string[] = []) {
    this.#load = load
    this.args = args
  }

  open(): ProgramCarrier {
    if (this.#shared !== undefined) return { program: this.#shared, done: () => {} }
    this.#bytes ??= this.#load()
    const carrier = programFd(this.#bytes)
    if (!carrier.shared) return { program: carrier.fd, done: () => carrier.fd.close() }
    this.#shared = carrier.fd
    this.#bytes = undefined
    return { program: this.#shared, done: () => {} }
  }
}

const own = new InitProgram(() => loadAsset('init', import.meta.url))

/** The `init` program of this package, ready to execute. */
export const initProgram = (): ProgramCarrier => own.open()
