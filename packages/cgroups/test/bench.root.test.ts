import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Cgroup } from '@libcontainer/cgroups'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { directoriesOf, freshCgroup, freshPath, removedAtEnd, run } from './support.js'

const script = (name: string): string => fileURLToPath(new URL(`../../../bench/cgroups/${name}.mjs`, import.meta.url))

test('a hundred cycles of create, limit, add, kill and destroy leave memory, descriptors, processes and cgroups as they were', {
  ...requires('root', 'cgroup:pids', 'cgroup:memory', 'cgroup:cpu'),
  timeout: 120_000,
}, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script('soak'), '--cycles', '100'], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(
    /^100 cycles in .*\nbefore: memory .* MiB, descriptors \d+, processes 0, cgroups 0\nafter: {2}memory/,
  )
})

test(
  'what the benchmark orders of us is done: each answers nanoseconds',
  requires('root', 'cgroup:pids', 'cgroup:memory', 'cgroup:cpu'),
  async () => {
    const tree = await freshCgroup()
    const child = await Cgroup.create(`${tree.path}/0`)
    await child.add(run(':').pid)
    const [life, oom] = [freshPath(), freshPath()]
    for (const path of [life, oom]) removedAtEnd(path)
    const orders = [`life ${life}`, `tree ${tree.path} 1`, 'one', 'all', `list ${tree.path}`, `oom ${oom} ${8 << 20}`]
    const { stdout } = spawnSync(process.execPath, [script('ours')], {
      encoding: 'utf8',
      input: `${orders.join('\n')}\n`,
    })
    const answers = stdout.trim().split('\n')
    expect(answers).toHaveLength(orders.length)
    for (const answer of answers) expect(answer).toMatch(/^\d+$/)
    expect([...(await directoriesOf(life)), ...(await directoriesOf(oom))]).toEqual([])
  },
)
