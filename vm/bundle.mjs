// Makes one JavaScript file of each test file and all that it imports, for vm/vitest.mjs: in the emulator, each module more that Node.js loads
// costs some 30 ms.
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const top = fileURLToPath(new URL('..', import.meta.url))
const shim = join(top, 'vm/vitest.mjs')

/** A test file, and behind it the call that runs what it has collected. */
const programs = {
  name: 'programs',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^run:/ }, ({ path }) => ({ path: path.slice(4), namespace: 'run' }))
    onLoad({ filter: /^/, namespace: 'run' }, ({ path: file }) => ({
      contents: `import './${file}'\nimport { run } from 'vitest'\nrun(${JSON.stringify(file)})\n`,
      resolveDir: top,
    }))
    // A package says of itself that importing has no effect; a test file has.
    onResolve({ filter: /\.test\.ts$/, namespace: 'run' }, ({ path }) => ({ path: join(top, path), sideEffects: true }))
  },
}

/** Where a source lies remains where it lay: tests look for what is beside them, and packages for their bindings. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.m?[jt]s$/ }, async ({ path }) => {
      if (path.includes('/node_modules/') || path === shim) return undefined
      const text = await readFile(path, 'utf8')
      const places = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path }
      const contents = text.replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, key) =>
        JSON.stringify(places[key]),
      )
      return { contents, loader: extname(path) === '.ts' ? 'ts' : 'js' }
    })
  },
}

/**
 * @param {string[]} files - below the top
 * @param {string} folder - for the programs
 * @param {object} [more] - options of esbuild
 * @returns {Promise<string[]>} their names in it
 */
export async function bundle(files, folder, more = {}) {
  const names = files.map(file => file.replaceAll('/', '+').replace(/\.ts$/, ''))
  await build({
    entryPoints: files.map((file, i) => ({ in: `run:${file}`, out: names[i] })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    alias: { vitest: shim },
    plugins: [programs, places],
    logLevel: 'warning',
    ...more,
  })
  return names.map(name => `${name}.mjs`)
}
