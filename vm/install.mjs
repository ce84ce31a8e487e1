// Packs packages as npm publishes them, with the bindings that the tests have, and installs them in an empty folder from the tarballs alone.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment, installTarballs, npmOptions, readmePrograms } from '../scripts/from-tarballs.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} folder - in which `installed` will be, with the programs of their READMEs @param {string[]} packages */
export function install(folder, packages) {
  const tarballs = packages.map(name => pack(name, folder))
  const empty = join(folder, 'installed')
  mkdirSync(empty)
  installTarballs(empty, tarballs)
  for (const name of packages) {
    const programs = readmePrograms(readFileSync(join(top, 'packages', name, 'README.md'), 'utf8'))
    for (const [i, source] of programs.entries()) writeFileSync(join(empty, `${name}-${i + 1}.mjs`), source)
  }
}

function pack(name, folder) {
  const [from, to] = [join(top, 'packages', name), join(folder, 'packages', name)]
  for (const part of ['package.json', 'README.md', 'dist'])
    cpSync(join(from, part), join(to, part), { recursive: true })
  const prebuild = join(to, `prebuilds/linux-${process.arch}/${name}.glibc.node`)
  const binding = join(from, `build/Release/${name}.node`)
  // Not every package has one.
  if (existsSync(binding)) cpSync(binding, prebuild)
  const said = execFileSync('npm', ['pack', '--json', ...npmOptions, `--pack-destination=${folder}`], {
    cwd: to,
    env: { ...environment, npm_config_cache: join(folder, 'npm') },
    encoding: 'utf8',
  })
  return join(folder, JSON.parse(said)[0].filename)
}
