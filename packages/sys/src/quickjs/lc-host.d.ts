/** What native/quickjs/exports.c gives. */
declare module 'lc:host' {
  import type { LoadedOps } from '../binding.js'

  /** Calls back before the program's `main`, with the command line, the program's name first. */
  export function onStart(callback: (argv: string[]) => void): void
  /** Makes a property of each variable of the environment. */
  export function readEnvironment(to: Record<string, string>): void
  export function version(): string
  export function exit(status: number): never
  /** The bytes of a file that the executable carries, read-only in truth: a write to them is fatal. */
  export function embedded(name: string): Uint8Array | undefined
  export function loadTable(name: string): LoadedOps | undefined
  /** execveat(2); comes back with -errno. */
  export function becomeProgram(fd: number, argv: readonly string[], keep: readonly number[]): number
  /** Calls once with poll(2)'s events; an id for `cancel`. What waits in the `background` does not keep the process alive. */
  export function watch(fd: number, events: number, callback: (events: number) => void, background?: boolean): number
  export function timer(ms: number, callback: () => void, background?: boolean): number
  /** Whether the wait had not fired. */
  export function cancel(id: number): boolean
  /** As the Encoding Standard has them: U+FFFD for what has no UTF-8, or is none. */
  export function encodeUtf8(text: string): Uint8Array<ArrayBuffer>
  export function decodeUtf8(bytes: Uint8Array): string
}
