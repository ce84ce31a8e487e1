// Fuzzes one target of TypeScript in this process. usage: run.mjs BINDING MODULE [ARGUMENT OF LIBFUZZER]…
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [binding, module, ...args] = process.argv.slice(2)
globalThis.__edges = new Uint8Array(Number(readFileSync(`${module}.edges`, 'utf8')))
const { fuzz } = await import(pathToFileURL(module))

/** libFuzzer waits for an answer, and Node.js for libFuzzer: what is to be done later is done at once, and nothing else is waited for. */
function finish(promise) {
  let outcome
  promise.then(
    () => (outcome = {}),
    error => (outcome = { error }),
  )
  process._tickCallback()
  if (outcome === undefined) throw new Error('the target waits for something outside')
  if (outcome.error !== undefined) throw outcome.error
}

function call(data) {
  try {
    const result = fuzz(data)
    if (result !== undefined) finish(result)
  } catch (error) {
    console.error(error)
    throw error
  }
}

// From the event loop: what is run by a promise cannot run others.
setImmediate(() => createRequire(import.meta.url)(binding)(['fuzz', ...args], globalThis.__edges, call))
