import { Cgroup, type CgroupHost } from '@libcontainer/cgroups'
import { expect, test } from 'vitest'

test('where no hierarchy is mounted, the line that mounts one is told, and nothing is pretended', async () => {
  const host: CgroupHost = { mode: 'none', hierarchies: [] }
  for (const limits of [{}, { pids: { max: 5 } }, { devices: [{ allow: false, type: 'a' }] as const }]) {
    await expect(Cgroup.create('/demo', limits, { host })).rejects.toMatchObject({
      code: 'ENOENT',
      path: '/sys/fs/cgroup',
      hint: expect.stringContaining('mount -t cgroup2'),
    })
  }
  await expect(Cgroup.open('/demo', { host })).rejects.toMatchObject({ code: 'ENOENT', path: '/demo' })
})

test('a hierarchy that is said to be where there is nothing is an error of its path', async () => {
  const mountpoint = '/sys/fs/cgroup/no such hierarchy'
  const gone = { version: 1, controllers: ['pids'], mountpoint, own: '', noPrefix: false } as const
  await expect(
    Cgroup.create('/demo', { pids: { max: 5 } }, { host: { mode: 'v1', hierarchies: [gone] } }),
  ).rejects.toMatchObject({ name: 'SyscallError', code: 'ENOENT', path: expect.stringContaining(mountpoint) })
})
