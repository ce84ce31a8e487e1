import type { ContainerCgroups } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { mergedLimits } from '../src/running/merged-limits.js'
import { changed } from '../src/running/set.js'

/** What a config holds, and then set() on top of it. */
const merged = (before: ContainerCgroups, given: ContainerCgroups): unknown =>
  JSON.parse(JSON.stringify(mergedLimits(before, given)))

const [a, b] = [
  { major: 8, minor: 0 },
  { major: 8, minor: 16 },
]

test('disks that are not given keep their limits, and each its other ones', () => {
  const io = { blkioWeight: 100, devices: [{ ...a, rbps: 1, wbps: 2 }] }
  expect(merged({ io }, { io: { devices: [{ ...b, rbps: 3 }] } })).toEqual({
    io: { blkioWeight: 100, devices: [io.devices[0], { ...b, rbps: 3 }] },
  })
  const twice = [
    { ...a, wbps: 'max' },
    { ...a, riops: 4 },
  ] as const
  expect(merged({ io }, { io: { devices: twice } })).toEqual({
    io: { blkioWeight: 100, devices: [{ ...a, rbps: 1, wbps: 'max', riops: 4 }] },
  })
  expect(merged({ io }, { io: { prioClass: 'idle' } })).toEqual({ io: { ...io, prioClass: 'idle' } })
})

test('a weight takes the place of one in other words, with which no cgroup could be made', () => {
  expect(
    merged(
      { io: { weight: 5, devices: [{ ...a, weight: 5 }] }, cpu: { weight: 5, periodUs: 1000 } },
      { io: { blkioWeight: 50, devices: [{ ...a, blkioWeight: 50 }] }, cpu: { shares: 50 } },
    ),
  ).toEqual({ io: { blkioWeight: 50, devices: [{ ...a, blkioWeight: 50 }] }, cpu: { shares: 50, periodUs: 1000 } })
})

test('what is keyed is merged by its key', () => {
  const before: ContainerCgroups = {
    hugetlb: { '2MB': { max: 1, rsvdMax: 2 }, '1GB': { max: 3, rsvdMax: 4 } },
    rdma: { mlx5_0: { hcaHandle: 1 }, mlx5_1: { hcaHandle: 2 } },
    netPrio: { ifpriomap: { lo: 1 } },
    misc: { sev: 1 },
    unified: { 'memory.high': '1' },
  }
  const given: ContainerCgroups = {
    // What may be in use goes for what is reserved too.
    hugetlb: { '2MB': { max: 5 }, '1GB': { rsvdMax: 6 } },
    rdma: { mlx5_0: { hcaObject: 3 } },
    netPrio: { ifpriomap: { eth0: 2 } },
    misc: { sev_es: 2 },
    unified: { 'memory.low': '2' },
  }
  expect(merged(before, given)).toEqual({
    hugetlb: { '2MB': { max: 5 }, '1GB': { max: 3, rsvdMax: 6 } },
    rdma: { mlx5_0: { hcaHandle: 1, hcaObject: 3 }, mlx5_1: { hcaHandle: 2 } },
    netPrio: { ifpriomap: { lo: 1, eth0: 2 } },
    misc: { sev: 1, sev_es: 2 },
    unified: { 'memory.high': '1', 'memory.low': '2' },
  })
  const rdma = JSON.parse('{ "__proto__": { "hcaHandle": 1 } }') as NonNullable<ContainerCgroups['rdma']>
  expect(JSON.stringify(mergedLimits({ rdma }, { rdma: { constructor: { hcaHandle: 2 } } } as ContainerCgroups))).toBe(
    '{"rdma":{"__proto__":{"hcaHandle":1},"constructor":{"hcaHandle":2}}}',
  )
})

test('a fault is told at the place in what was given', () => {
  const config = { rootfs: '/', cgroups: { path: 'x', io: { devices: [{ ...a, rbps: 1 }] } } }
  expect(() => changed(config as never, { io: { devices: [{ ...b, rbps: 0 }] } })).toThrow('cgroups.io.devices[0].rbps')
})
