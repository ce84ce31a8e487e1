import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Has the bundler import from the file that defines a name, past the index of its package that hands it on. Otherwise whoever imports one name reaches
 * all that the index names, and what a seldom command alone needs lies among what each start needs.
 */
export const pastIndex = {
  name: 'past-index',
  setup(build) {
    const indexes = new Map()
    build.onLoad({ filter: /\/packages\/[^/]+\/dist\/.*\.js$/ }, async ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const resolveDir = dirname(path)
      const replaced = await replaceAsync(text, IMPORT, async (whole, names, from) => {
        const found = await build.resolve(from, { kind: 'import-statement', resolveDir })
        if (found.errors.length > 0) return whole
        if (!indexes.has(found.path)) indexes.set(found.path, definitions(found.path))
        const defined = indexes.get(found.path)
        return split(names)
          .map(({ name, as }) => {
            const { file, original } = defined.get(name) ?? { file: found.path, original: name }
            return `import { ${original} as ${as} } from ${JSON.stringify(file)};`
          })
          .join(' ')
      })
      return { contents: replaced, loader: 'js', resolveDir }
    })
  },
}

const IMPORT = /^import \{([^}]*)\} from '(@libcontainer\/[^']+)';$/gm
const EXPORT = /^export \{([^}]*)\} from '(\.[^']+)';$/gm

/** By name what an index hands on: the file, and the name there. */
function definitions(index) {
  return new Map(
    [...readFileSync(index, 'utf8').matchAll(EXPORT)].flatMap(([, names, from]) =>
      split(names).map(({ name, as }) => [as, { file: new URL(from, `file://${index}`).pathname, original: name }]),
    ),
  )
}

/** `a, b as c` → what is named, and as what. */
function split(names) {
  const each = names.split(',').map(name => name.trim())
  return each.filter(Boolean).map(text => {
    const [name, as = name] = text.split(/\s+as\s+/)
    return { name, as }
  })
}

async function replaceAsync(text, pattern, replace) {
  const parts = await Promise.all([...text.matchAll(pattern)].map(match => replace(...match)))
  return text.replace(pattern, () => parts.shift())
}
