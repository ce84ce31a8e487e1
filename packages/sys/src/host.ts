import type { LoadedOps } from './binding.js'

/**
 * What the core asks of the engine that it runs in, beside the ops: `src/node/host.ts` and `src/quickjs/host.ts` are the two answers,
 * chosen by the condition `quickjs` of this package's `#host`.
 */
export interface Host {
  /** The ops of a facility, from its prebuilt binding or linked in. `url` is a module's in the package's `dist/`. */
  loadOps(name: string, url: string): LoadedOps
  /** A file that a package ships beside its bindings, such as `init`: its bytes. */
  loadAsset(name: string, url: string): Uint8Array
  /** The path of such a file; `undefined` where it is no file, but part of this program. */
  findAsset(name: string, url: string): string | undefined
  /** Waits for poll(2) events on a descriptor, once: the events, or 0 when `cancel` came first. A weak one lets the program end. */
  watch(fd: number, events: number, weak?: boolean): { readonly events: Promise<number>; readonly cancel: () => void }
  /** Keeps the program from ending until the answer is called: for who waits for what a weak watch will tell. */
  hold(): () => void
  /** Calls back after so many milliseconds, unless cancelled. A weak one lets the program end. */
  timer(ms: number, callback: () => void, weak?: boolean): { readonly cancel: () => void }
  /**
   * Calls back with the number of each of these signals that comes, instead of what it would do to the process; does not keep the process
   * alive. Signals that the engine cannot listen to are left alone: Node.js knows none of the real-time ones.
   */
  onSignals(signals: readonly number[], callback: (signal: number) => void): { readonly stop: () => void }
  /**
   * Becomes another program, by execveat(2) of a descriptor with this process's own environment: the pid stays, and of the descriptors 0 to 2
   * and those to `keep`. Throws where that is refused. `undefined` where the engine belongs to somebody else: Node.js.
   */
  readonly becomeProgram: ((program: number, args: readonly string[], keep: readonly number[]) => never) | undefined
  /** The Encoding Standard's UTF-8: U+FFFD for what has no bytes, or is none. */
  encodeUtf8(text: string): Uint8Array<ArrayBuffer>
  decodeUtf8(bytes: Uint8Array): string
  /** The command line without the engine and the script. */
  readonly args: readonly string[]
  /** The name by which the program was called: the script's, or the executable's. */
  calledAs(): string
  /** The environment, read once. */
  readonly environment: Readonly<Record<string, string>>
  /** Ends the process. */
  exit(code: number): never
  /** The engine raises its soft limit of open files to the hard one when it starts. */
  readonly raisesFileLimit: boolean
  /** What the engine is, for a report: `node 20.20.2`, `quickjs 0.17.0`. */
  readonly engine: string
}
