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
      /** What is imported, by the file that defines it; `undefined` for a package that is not here. */
      const defining = async (names, from) => {
        const found = await build.resolve(from, { kind: 'import-statement', resolveDir })
        if (found.errors.length > 0) return undefined
        if (!indexes.has(found.path)) indexes.set(found.path, definitions(found.path))
        const defined = indexes.get(found.path)
        return split(names).map(({ name, as }) => {
          const { file, original } = defined.get(name) ?? { file: found.path, original: name }
          return { as, original, file: JSON.stringify(file) }
        })
      }
      const atOnce = await replaceAsync(text, IMPORT, async (whole, names, from) => {
        const each = await defining(names, from)
        return each?.map(({ original, as, file }) => `import { ${original} as ${as} } from ${file};`).join(' ') ?? whole
      })
      const contents = await replaceAsync(atOnce, LATER, async (whole, names, from) => {
        const each = await defining(names, from)
        const parts = each?.map(({ original, as, file }) => `{ ${original}: ${as} } = await import(${file})`)
        return parts === undefined ? whole : `const ${parts.join(', ')};`
      })
      return { contents, loader: 'js', resolveDir }
    })
  },
}

const IMPORT = /^import \{([^}]*)\} from '(@libcontainer\/[^']+)';$/gm
const LATER = /\bconst \{([^}]*)\} = await import\('(@libcontainer\/[^']+)'\);$/gm
const EXPORT = /^export (?:\{([^}]*)\}|\*) from '(\.[^']+)';$/gm
const OWN = /^export (?:async )?(?:function\*?|class|const|let) ([\w$]+)/gm

/** By name what a file has to export: the file that defines it, and the name there. */
function definitions(path) {
  const text = readFileSync(path, 'utf8')
  const handedOn = [...text.matchAll(EXPORT)].flatMap(([, names, from]) => {
    const file = new URL(from, `file://${path}`).pathname
    return names === undefined
      ? [...definitions(file)]
      : split(names).map(({ name, as }) => [as, { file, original: name }])
  })
  return new Map([...handedOn, ...[...text.matchAll(OWN)].map(([, name]) => [name, { file: path, original: name }])])
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
