import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

interface Program {
  readme: string
  number: number
  source: string
}

/** The blocks marked `js` or `ts`: what a reader may paste, and so what must run. A block that needs more than this machine is marked `sh`. */
function programs(readme: string, language: 'js' | 'ts'): Program[] {
  const blocks = readFileSync(join(top, readme), 'utf8').matchAll(/^```(js|ts)\n([\s\S]*?)^```$/gm)
  return [...blocks]
    .filter(([, marked]) => marked === language)
    .map(([, , source], i) => ({ readme, number: i + 1, source: source! }))
}

const readmes = ['README.md', ...readdirSync(join(top, 'packages')).map(name => `packages/${name}/README.md`)]

test.each(readmes)('%s is there and shows how to use it', readme => {
  expect(existsSync(join(top, readme))).toBe(true)
  const language = /^packages\/(?:nsinit|lcrun)\//.test(readme) ? 'sh' : 'js'
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

const existing = readmes.filter(readme => existsSync(join(top, readme)))
const typed = existing.flatMap(readme => programs(readme, 'ts'))
const runnable = [
  ...existing.flatMap(readme => programs(readme, 'js')).map(program => ({ ...program, language: 'JavaScript' })),
  // Node.js 20 has no `await using`: compilers make of it what it has.
  ...typed.map(program => {
    const { code } = transformSync(program.source, { loader: 'ts', target: 'node20', format: 'esm' })
    return { ...program, language: 'TypeScript', source: code }
  }),
]

test('the programs in TypeScript have the types that they should', () => {
  expect(typed.length).toBeGreaterThan(3)
  mkdirSync(join(top, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(top, '.cache/readme-'))
  try {
    typed.forEach(({ source }, i) => void writeFileSync(join(folder, `program-${i}.mts`), source))
    const settings = { extends: '../../tsconfig.test.json', include: ['*.mts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(top, 'node_modules/typescript/bin/tsc'), '-p', folder],
      {
        encoding: 'utf8',
      },
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(runnable)(
  '$readme: program $number in $language runs',
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
