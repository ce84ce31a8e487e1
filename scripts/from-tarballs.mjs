// Packages in an empty folder, from tarballs alone: no scripts, no network, and nothing that is above the folder or called npm before has a say.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Without what `npm run` tells an npm below. */
export const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

export const npmOptions = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

/** @param {string} folder @param {string[]} tarballs @param {string} [path] - all that is found of programs */
export function installTarballs(folder, tarballs, path = process.env.PATH) {
  // npm takes the next folder above that has a package.json for the one to install in, unless it is told.
  execFileSync('npm', ['install', `--prefix=${folder}`, ...npmOptions, ...tarballs], {
    cwd: folder,
    env: { ...environment, PATH: path, npm_config_cache: join(folder, '.npm') },
    stdio: 'pipe',
  })
}

/** The programs of a README. @param {string} readme @returns {string[]} */
export const readmePrograms = readme => [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, source]) => source)
