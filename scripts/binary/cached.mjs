import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The hash of strings and of the contents of files (given as `{ file }`): equal hashes need no second build. */
export function hashOf(parts) {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : readFileSync(part.file)
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest('hex')
}

/** Makes `output` unless it was made from the same inputs, which `keyFile` remembers. */
export async function cached(output, inputs, make, keyFile = `${output}.key`) {
  const key = hashOf(inputs)
  if (existsSync(output) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return false
  await make()
  mkdirSync(dirname(keyFile), { recursive: true })
  writeFileSync(keyFile, key)
  return true
}
