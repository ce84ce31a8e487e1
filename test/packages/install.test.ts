import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environment, readmePrograms } from '../../scripts/from-tarballs.mjs'
import { busyboxRootfs, requires, temporaryDirectory } from '../support/index.js'
import { binFolder, closure, install, release, short, top } from './release.js'

/** Node.js, npm and what they start; the rest is what the programs of the READMEs run. */
const programs = ['node', 'npm', 'sh', 'env', 'setsid', 'tty', 'stty', 'nsenter', 'busybox']

test.each(release.map(({ name }) => name))(
  '%s, installed alone without compiler, scripts or network, runs the programs of its README',
  requires('root', 'rootfs'),
  name => {
    using dir = temporaryDirectory('installed-')
    const bin = binFolder(join(dir.path, 'bin'), programs)
    const folder = join(dir.path, 'empty')
    mkdirSync(folder)
    install(folder, bin, name)

    const scoped = readdirSync(join(folder, 'node_modules'), { recursive: true }) as string[]
    const installed = scoped
      .map(path => /^((?:@[^/]+\/)?[^@/.][^/]*)\/package\.json$/.exec(path)?.[1])
      .filter(one => one !== undefined)
    expect(installed.sort()).toEqual(
      closure(name)
        .map(one => one.name)
        .sort(),
    )

    const sources = readmePrograms(readFileSync(join(top, 'packages', short(name), 'README.md'), 'utf8'))
    expect(sources.length).toBeGreaterThan(0)
    sources.forEach((source, i) => {
      writeFileSync(join(folder, `program-${i}.mjs`), source)
      const { status, signal, stdout, stderr } = spawnSync(join(bin, 'node'), [`program-${i}.mjs`], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...environment, PATH: bin, ROOTFS: busyboxRootfs() },
        timeout: 60_000,
      })
      const output = status === 0 ? '' : stderr + stdout
      expect({ status, signal, output }).toEqual({ status: 0, signal: null, output: '' })
    })
  },
)

test.each(release.map(({ name }) => name))('%s has no install script, and no dependency outside', name => {
  const { scripts = {}, dependencies = {} } = release.find(one => one.name === name)!
  expect(Object.keys(scripts).filter(script => /install|prepare/.test(script))).toEqual([])
  expect(Object.keys(dependencies).filter(one => !release.some(({ name }) => name === one))).toEqual([])
})

test('a release asks for its own versions', () => {
  for (const { name, dependencies = {} } of release) {
    for (const [one, version] of Object.entries(dependencies)) {
      expect(`${name}: ${one}@${version}`).toBe(`${name}: ${one}@${release.find(({ name }) => name === one)?.version}`)
    }
  }
})
