/**
 * The globals of the web platform that the core uses and QuickJS lacks. The bundler puts them wherever their names occur
 * free (esbuild's `inject`), so that a program pays for those that it uses.
 */
export { AbortController, AbortSignal } from './abort.js'
export { TextDecoder, TextEncoder } from './text.js'
