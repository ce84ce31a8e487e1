import { ConfigInvalid, findAsset, loadAsset, OwnedFd, overlayProgramFd, programFd } from '@libcontainer/sys'

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
  readonly #load: () => Uint8Array | OwnedFd
  readonly #name: string
  #bytes: Uint8Array | undefined
  #shared: OwnedFd | undefined

  /**
   * @param load - the whole program, or a descriptor to execute that no container can write to: asked for once
   * @param name - what it is called in /proc/PID/exe. Default: `init`
   */
  constructor(load: () => Uint8Array | OwnedFd, args: readonly string[] = [], name = 'init') {
    this.#load = load
    this.args = args
    this.#name = name
  }

  open(): ProgramCarrier {
    if (this.#shared !== undefined) return { program: this.#shared, done: () => {} }
    const loaded = this.#bytes ?? this.#load()
    if (loaded instanceof OwnedFd) return this.#share(loaded)
    this.#bytes = loaded
    const carrier = programFd(loaded, this.#name)
    if (!carrier.shared) return { program: carrier.fd, done: () => carrier.fd.close() }
    this.#bytes = undefined
    return this.#share(carrier.fd)
  }

  #share(program: OwnedFd): ProgramCarrier {
    this.#shared = program
    return { program, done: () => {} }
  }
}

const own = new InitProgram(() => loadAsset('init', import.meta.url))

/** The `init` program of this package, ready to execute. */
export const initProgram = (): ProgramCarrier => own.open()

/**
 * The PID 1 for programs that are none: executed as `reaper PROGRAM [ARGUMENT…]` it starts the program, found by PATH of its environment, passes all signals on,
 * reaps what is left to it, and exits as the program does: with 128 and the signal that has killed it, with 127 where there is no such program. Where it
 * is not PID 1 it becomes the program.
 */
export const reaperProgram = new InitProgram(() => loadAsset('init', import.meta.url), [], 'reaper')

/**
 * The `init` program of this package through a read-only overlay of its directory, in place of a copy: containers that wait to be started have
 * it in memory once for all.
 *
 * @throws {ConfigInvalid} in an executable that has it inside, and no file to show
 * @throws {SyscallError} for want of CAP_SYS_ADMIN or of overlayfs
 */
export function overlayInit(): InitProgram {
  const path = findAsset('init', import.meta.url)
  if (path === undefined)
    throw new ConfigInvalid(
      'selfProtection',
      'overlay',
      'cannot be had: init is part of this executable, and no file',
      {
        hint: "say 'copy', which is the default",
      },
    )
  const file = overlayProgramFd(path)
  return new InitProgram(() => file)
}
