import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environment, installTarballs, readmePrograms } from '../../scripts/from-tarballs.mjs'
import { requires, temporaryDirectory } from '../support/index.js'
import { binFolder, release, top } from './release.js'

test('all packages, installed at once, run the first programs of README.md, and nsinit', requires('root'), () => {
  using dir = temporaryDirectory('together-')
  const bin = binFolder(join(dir.path, 'bin'), ['node', 'npm', 'sh', 'env'])
  const folder = join(dir.path, 'empty')
  mkdirSync(folder)
  const run = (program: string, ...args: string[]): string =>
    execFileSync(join(bin, program), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, PATH: bin, npm_config_cache: join(dir.path, 'cache') },
      stdio: 'pipe',
    })
  const tarballs = release.map(({ tarball }) => tarball)
  installTarballs(folder, tarballs, bin)

  for (const { name } of release) {
    const files = readdirSync(join(folder, 'node_modules', name), { recursive: true }) as string[]
    const missing = ['LICENSE', 'NOTICE', 'README.md', 'dist/index.js'].filter(file => !files.includes(file))
    expect({ name, missing }).toEqual({ name, missing: [] })
    expect(files.filter(file => /\.tsbuildinfo$|(^|\/)(native|test|build)\//.test(file))).toEqual([])
  }

  const programs = readmePrograms(readFileSync(join(top, 'README.md'), 'utf8')).slice(0, 2)
  const [sandbox, container] = programs.map((program, i) => {
    writeFileSync(join(folder, `program${i}.mjs`), program)
    return run('node', `program${i}.mjs`)
  })
  // Of the shell that cannot write, and what it has seen before.
  expect(sandbox).toMatch(/^2 uid=0\(root\).*\nproc\n.*\nusr\n/s)
  expect(container).toBe('the container says: hello, process 1\n\n{ code: 0, signal: undefined, oom: false }\n')
  expect(run('npm', 'exec', '--offline', '--', 'nsinit', '--help')).toContain('nsinit')
})
