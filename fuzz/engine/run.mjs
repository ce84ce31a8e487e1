// Fuzzes one target of TypeScript in this process. usage: run.mjs BINDING MODULE [ARGUMENT OF LIBFUZZER]…
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [binding, module, ...args] = process.argv.slice(2)
globalThis.__edges = new Uint8Array(Number(readFileSync(`${module}.edges`, 'utf8')))
const { fuzz } = await import(pathToFileURL(module))

createRequire(import.meta.url)(binding)(['fuzz', ...args], globalThis.__edges, data => {
  try {
    fuzz(data)
  } catch (error) {
    console.error(error)
    throw error
  }
})
