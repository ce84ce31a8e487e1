import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

interface Program {
  readme: string
  number: number
  source: string
}

/** The blocks marked `js`: what a reader may paste, and so what must run. A block that needs more than this machine is marked `ts` or `sh`. */
function programs(readme: string): Program[] {
  const blocks = readFileSync(join(top, readme), 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm)
  return [...blocks].map(([, source], i) => ({ readme, number: i + 1, source: source! }))
}

const readmes = ['README.md', ...readdirSync(join(top, 'packages')).map(name => `packages/${name}/README.md`)]

test.each(readmes)('%s is there and shows how to use it', readme => {
  expect(existsSync(join(top, readme))).toBe(true)
  const language = readme.startsWith('packages/nsinit/') ? 'sh' : 'js'
  expect(readFileSync(join(top, readme), 'utf8')).toContain(`\`\`\`${language}\n`)
})

/**
 * As `ROOTFS=… node program.mjs` in an empty directory, for those that want to be told a root filesystem; from below the top, where
 * node_modules has the packages.
 */
function run(source: string) {
  using cwd = temporaryDirectory('readme-')
  mkdirSync(join(top, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(top, '.cache/readme-'))
  try {
    const program = join(folder, 'program.mjs')
    writeFileSync(program, source)
    const env = { ...process.env, ROOTFS: busyboxRootfs() }
    return spawnSync(process.execPath, [program], { cwd: cwd.path, env, encoding: 'utf8', timeout: 60_000 })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each(readmes.filter(readme => existsSync(join(top, readme))).flatMap(programs))(
  '$readme: program $number runs',
  { ...requires('root', 'rootfs'), timeout: 90_000 },
  ({ source }) => {
    const { status, signal, stderr, stdout } = run(source)
    expect({ status, signal, output: status === 0 ? '' : stderr + stdout }).toEqual({
      status: 0,
      signal: null,
      output: '',
    })
  },
)
