import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installTarballs } from '../../scripts/from-tarballs.mjs'

export const top = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(top, '.cache/release/tarballs')

interface Manifest {
  name: string
  version: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
}

/** A package as it is published. */
export interface Packed extends Manifest {
  tarball: string
  files: string[]
}

if (!existsSync(folder)) throw new Error(`${folder} is absent: npm run release -- --dry-run makes it`)

const tar = (...args: string[]) => execFileSync('tar', args, { encoding: 'utf8' })

/** Every package of the release. */
export const release: readonly Packed[] = readdirSync(folder)
  .map(name => join(folder, name))
  .map(tarball => ({
    ...(JSON.parse(tar('xzOf', tarball, 'package/package.json')) as Manifest),
    tarball,
    files: tar('tzf', tarball)
      .trim()
      .split('\n')
      .map(path => path.replace(/^package\//, '')),
  }))

export const packed = (name: string): Packed => release.find(one => one.name === name)!

/** A package and whatever it depends on, itself first. */
export function closure(name: string): Packed[] {
  const found = new Set([packed(name)])
  for (const one of found) for (const next of Object.keys(one.dependencies ?? {})) found.add(packed(next))
  return [...found]
}

/** The name without its scope: that of the binding. */
export const short = (name: string) => name.replace(/^@libcontainer\//, '')

/** Those with a binding. */
export const natives = release.filter(({ name }) => existsSync(join(top, 'packages', short(name), 'binding.gyp')))

/** A folder with links to these programs, to be all of PATH: no compiler, no make, no python. */
export function binFolder(path: string, programs: readonly string[]): string {
  mkdirSync(path)
  for (const name of programs) {
    symlinkSync(execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim(), join(path, name))
  }
  return path
}

/** Installs a package with what it depends on in a folder. */
export function install(folder: string, bin: string, name: string): void {
  const tarballs = closure(name).map(({ tarball }) => tarball)
  installTarballs(folder, tarballs, bin)
}
