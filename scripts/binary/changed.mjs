import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tightAtoms } from './atoms.mjs'
import { withoutColumns } from './columns.mjs'
import { withoutLocals } from './locals.mjs'
import { pinned } from './pinned.mjs'

/** The folder of the engine's sources with our changes. @param {string} sources - as they were fetched */
export function withChanges(sources) {
  const folder = `${sources}-changed`
  const original = readFileSync(join(sources, 'quickjs.c'), 'utf8')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(sources)) {
    const bytes =
      name === 'quickjs.c'
        ? Buffer.from(tightAtoms(withoutLocals(withoutColumns(pinned(original)))))
        : readFileSync(join(sources, name))
    const to = join(folder, name)
    if (!existsSync(to) || !bytes.equals(readFileSync(to))) writeFileSync(to, bytes)
  }
  return folder
}
