import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf } from './cached.mjs'
import { withChanges } from './changed.mjs'
import { run, works } from './run.mjs'

const VERSION = '0.17.0.2'
const SHA256 = '43d2e48272208721a7aaea8e3f02d4b9318f12ef20cc4f5421b59d9a470706ef'

/** What is compiled of QuickJS-ng. */
export const engineSources = ['quickjs.c', 'libregexp.c', 'libunicode.c', 'dtoa.c']

/**
 * The folder of QuickJS-ng's sources with our changes, fetched once and kept below `cache`: they are in PyPI's source distribution of `quickjs-ng`,
 * which pip fetches and checks, and we check again.
 */
export async function quickjsSources(cache) {
  const folder = join(cache, `quickjs_ng-${VERSION}`)
  const sources = join(folder, 'upstream-quickjs')
  if (engineSources.every(name => existsSync(join(sources, name)))) return withChanges(sources)

  const archive = join(cache, `quickjs_ng-${VERSION}.tar.gz`)
  mkdirSync(cache, { recursive: true })
  if (!existsSync(archive)) await fetchArchive(cache)
  const digest = createHash('sha256').update(readFileSync(archive)).digest('hex')
  if (digest !== SHA256) {
    rmSync(archive)
    throw new Error(`${archive} is not what was expected: sha256 ${digest}`)
  }
  await run(['tar', 'xzf', archive, '-C', cache, '--no-same-owner'])
  return withChanges(sources)
}

async function fetchArchive(cache) {
  if (!(await works('python3', '-m', 'pip', '--version'))) {
    throw new Error('QuickJS-ng is fetched by pip, which is absent: apt-get install python3-pip')
  }
  const requirements = join(cache, 'requirements.txt')
  writeFileSync(requirements, `quickjs-ng==${VERSION} --hash=sha256:${SHA256}\n`)
  await run([
    ...['python3', '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'],
    ...['--no-binary', 'quickjs-ng', '--require-hashes', '-r', requirements, '-d', cache],
  ])
}

/** Everything that a change of the engine would change. */
export function engineHash(sources) {
  return hashOf(readdirSync(sources).map(name => ({ file: join(sources, name) })))
}
