#!/usr/bin/env node
// The releases of Node.js that tests run on, from npm's packages of them. Run by itself it fetches those that are missing: set-up for .ci/run.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quietly, top } from './quietly.mjs'

/** The newest of each line that is supported, and the package's integrity by architecture. */
const releases = {
  '20.20.2': {
    x64: 'PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
    arm64: 'LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  },
  '22.23.3': {
    x64: 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    arm64: 'l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  },
  '24.21.0': {
    x64: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arm64: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  '26.10.0': {
    x64: 'OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    arm64: 'idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  },
}

/** What a line (`22`) of Node.js is run by, for an architecture: this very Node.js, where it is of that line. */
export function nodeOf(major, arch = process.arch) {
  if (arch === process.arch && process.versions.node.startsWith(`${major}.`)) return process.execPath
  return join(folderOf(major, arch), 'bin/node')
}

export const majors = Object.keys(releases).map(version => version.split('.')[0])

const versionOf = major => Object.keys(releases).find(version => version.startsWith(`${major}.`))
const folderOf = (major, arch) => join(top, '.cache/node', `${versionOf(major)}-${arch}`)

async function fetchNode(major, arch) {
  const version = versionOf(major)
  const cache = join(top, '.cache/node')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'new-'))
  try {
    const name = `node-linux-${arch}@${version}`
    await quietly(name, ['npm', 'pack', '--silent', '--ignore-scripts', `--pack-destination=${work}`, name])
    const tarball = join(work, `node-linux-${arch}-${version}.tgz`)
    const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64')
    if (digest !== releases[version][arch]) throw new Error(`${name} is not what was expected: sha512-${digest}`)
    await quietly('tar', ['tar', 'xzf', tarball, '-C', work, '--no-same-owner', 'package/bin', 'package/LICENSE'])
    renameSync(join(work, 'package'), folderOf(major, arch))
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Every line for this machine, and the oldest for an arm64 one, which an emulator runs. */
async function fetchAll() {
  const wanted = [...majors.map(major => [major, process.arch]), [majors[0], 'arm64']]
  for (const [major, arch] of wanted) if (!existsSync(nodeOf(major, arch))) await fetchNode(major, arch)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await fetchAll()
  } catch (error) {
    console.error(`set-up: ${error.message}`)
    process.exitCode = 1
  }
}
