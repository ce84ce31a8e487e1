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
  /** Waits for poll(2) events on a descriptor, once: the events, or 0 when `cancel` came first. */
  watch(fd: number, events: number): { readonly events: Promise<number>; readonly cancel: () => void }
  /** Calls back after so many milliseconds, unless cancelled. */
  timer(ms: number, callback: () => void): { readonly cancel: () => void }
  /** The command line without the engine and the script. */
  readonly args: readonly string[]
  /** The environment, read once. */
  readonly environment: Readonly<Record<string, string>>
  /** Ends the process. */
  exit(code: number): never
  /** The engine raises its soft limit of open files to the hard one when it starts. */
  readonly raisesFileLimit: boolean
  /** What the engine is, for a report: `node 20.20.2`, `quickjs 0.17.0`. */
  readonly engine: string
}
