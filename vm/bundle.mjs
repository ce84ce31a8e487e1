// Makes one JavaScript file of a test file, for vm/vitest.mjs.
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const top = fileURLToPath(new URL('..', import.meta.url))
const shim = join(top, 'vm/vitest.mjs')

/** Where a source lies remains where it lay: tests look for what is beside them. */
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

/** @param {string} file - below the top @param {string} outfile */
export async function bundle(file, outfile) {
  await build({
    stdin: {
      contents: `import './${file}'\nimport { run } from 'vitest'\nrun(${JSON.stringify(file)})\n`,
      resolveDir: top,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // The packages themselves are tested as they are built.
    external: ['@libcontainer/*', 'libcontainer', 'nsinit'],
    alias: { vitest: shim },
    // A package says of itself that importing has no effect; a test file has.
    ignoreAnnotations: true,
    plugins: [places],
    logLevel: 'warning',
  })
}
