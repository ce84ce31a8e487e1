import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cgroupsNamed } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

const PROCESSES = 8
const CONTAINERS = 300

/** A list is as long as there are containers: after each of these it is asked for. */
const LISTED = 5

/** What each process does with its share of the containers: all of it, before it does the next. */
const script = `
set -e
share() { seq "$first" ${PROCESSES} ${CONTAINERS}; }
list() { [ $(($2 % ${LISTED})) -ne 0 ] || "$1" --root "$root" list >"$lists/$2-$3"; }
for n in $(share); do
  "$@" create --bundle "$bundle" "$prefix-$n" </dev/null >/dev/null
  "$@" start "$prefix-$n"
  list "$1" "$n" made
done
echo made
read go
for n in $(share); do
  "$@" delete --force "$prefix-$n"
  list "$1" "$n" deleted
done`

interface Entry {
  id: string
  pid: number
  status: string
}

describe.each(hosts.filter(({ name }) => name === 'the executable'))('$name', host => {
  test(`${CONTAINERS} containers by ${PROCESSES} processes at once: nothing lost, nothing left, no torn entry`, {
    ...host.needs,
    timeout: 300_000,
  }, async () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sleep', '1000'], {
        linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
        hostname: undefined,
      }),
    )
    const lists = bundle.file('lists')
    mkdirSync(lists)
    writeFileSync(bundle.file('script'), script)
    const workers = Array.from({ length: PROCESSES }, (_, i) => {
      const command = [bundle.file('script'), ...host.command, '--root', bundle.stateRoot]
      const own = { first: String(i + 1), bundle: bundle.path, prefix: bundle.id, root: bundle.stateRoot, lists }
      const env = { ...process.env, ...own }
      const child = spawn('sh', command, { env, stdio: ['pipe', 'pipe', 'pipe'] })
      let said = ''
      child.stderr.on('data', chunk => {
        said += chunk
      })
      return {
        child,
        made: once(child.stdout, 'data'),
        ended: once(child, 'close').then(([status]) => ({ status, said })),
      }
    })
    // A process that fails ends before it has made its share.
    const made = await Promise.all(workers.map(({ made, ended }) => Promise.race([made.then(() => 'made'), ended])))
    expect(made).toEqual(workers.map(() => 'made'))
    const all = Array.from({ length: CONTAINERS }, (_, i) => `${bundle.id}-${i + 1}`).sort()
    const alive = JSON.parse(bundle.run(['list', '--format', 'json']).stdout) as Entry[]
    expect(alive.map(({ id }) => id).sort()).toEqual(all)
    expect(new Set(alive.map(({ status }) => status))).toEqual(new Set(['running']))
    expect(new Set(alive.map(({ pid }) => pid)).size).toBe(CONTAINERS)

    for (const { child } of workers) child.stdin.end('go\n')
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(workers.map(() => ({ status: 0, said: '' })))
    expect(bundle.left()).toEqual([])
    expect(bundle.run(['list', '--quiet']).stdout).toBe('')
    expect(cgroupsNamed(new RegExp(bundle.id))).toEqual([])

    const files = readdirSync(lists)
    expect(files).toHaveLength((2 * CONTAINERS) / LISTED)
    const lines = files.flatMap(file => linesOf(lists, file, bundle.id))
    expect(lines.filter(line => !isWhole(line, bundle))).toEqual([])
  })
})

/** What a process was told; its own container must be there once it is made, and no longer when it is deleted. */
function linesOf(folder: string, file: string, prefix: string): string[] {
  const [, ...lines] = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')
  const [number, what] = file.split('-')
  const own = lines.find(line => line.startsWith(`${prefix}-${number} `))
  expect({ file, status: own?.split(/\s+/)[2] }).toEqual({ file, status: what === 'made' ? 'running' : undefined })
  return lines
}

function isWhole(line: string, { id: prefix, path }: Bundle): boolean {
  const [id = '', pid, status = '', bundle, created = '', owner, ...more] = line.split(/\s+/)
  const known = ['creating', 'created', 'running', 'stopped'].includes(status)
  const alive = status === 'stopped' ? pid === '0' : Number(pid) > 0
  return (
    known &&
    (alive || status === 'creating') &&
    id.startsWith(prefix) &&
    bundle === path &&
    !Number.isNaN(Date.parse(created)) &&
    owner === 'root' &&
    more.length === 0
  )
}
