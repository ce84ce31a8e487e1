import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

/** What an npm that runs this test handed down would steer the one below. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

test('the packed packages install without compiler, scripts or network, and run the first program of README.md', {
  ...requires('root'),
  timeout: 600_000,
}, () => {
  using dir = temporaryDirectory('packed-')
  const tarballs = join(dir.path, 'tarballs')
  execFileSync(process.execPath, [join(top, 'scripts/pack.mjs'), '--here', tarballs], { stdio: 'pipe' })

  // Node.js, npm and the programs that they start, and no other: no compiler, no make, no python.
  const bin = join(dir.path, 'bin')
  mkdirSync(bin)
  for (const name of ['node', 'npm', 'sh', 'env']) {
    symlinkSync(execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim(), join(bin, name))
  }
  const folder = join(dir.path, 'empty')
  mkdirSync(folder)
  const run = (program: string, ...args: string[]): string =>
    execFileSync(join(bin, program), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, PATH: bin, npm_config_cache: join(dir.path, 'cache') },
      stdio: 'pipe',
    })

  const packed = readdirSync(tarballs).map(name => join(tarballs, name))
  run('npm', 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', ...packed)

  const installed = JSON.parse(run('npm', 'ls', '--json', '--depth=0')) as { dependencies: object }
  expect(Object.keys(installed.dependencies)).toHaveLength(packed.length)
  for (const name of Object.keys(installed.dependencies)) {
    const files = readdirSync(join(folder, 'node_modules', name), { recursive: true }) as string[]
    const missing = ['LICENSE', 'NOTICE', 'README.md', 'dist/index.js'].filter(file => !files.includes(file))
    expect({ name, missing }).toEqual({ name, missing: [] })
    expect(files.filter(file => /\.tsbuildinfo$|(^|\/)(native|test|build)\//.test(file))).toEqual([])
  }

  const [, program] = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(top, 'README.md'), 'utf8')) ?? []
  writeFileSync(join(folder, 'program.mjs'), program!)
  expect(run('node', 'program.mjs')).toBe(
    'the container says: hello, process 1\n\n{ code: 0, signal: undefined, oom: false }\n',
  )
  expect(run('npm', 'exec', '--offline', '--', 'nsinit', '--help')).toContain('nsinit')
})
