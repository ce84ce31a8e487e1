import {
  Cgroup,
  cleanPath,
  describeHost,
  findCgroupMountpoint,
  findCgroupMountpointDir,
  getCgroupMounts,
  parseCgroupFile,
  parseSubsystems,
} from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placesOf } from '../src/host/place.js'
import { hybrid, texts, v1, v2 } from './hosts.js'

describe('what the host is', () => {
  test('CG-01 the mode is read from what is mounted', () => {
    expect([v1.mode, hybrid.mode, v2.mode]).toEqual(['v1', 'hybrid', 'v2'])
    expect(describeHost({ mountinfo: '', cgroup: '0::/\n', controllers: () => '' }).mode).toBe('none')
  })

  test('CG-01 a unified mount that lies below another mount is not there', () => {
    const covered = `${texts.hybridMounts}50 31 0:50 / /sys/fs/cgroup/unified rw - tmpfs none rw\n`
    const host = describeHost({ mountinfo: covered, cgroup: texts.hybridCgroup, controllers: () => '' })
    expect(host.mode).toBe('v1')
  })

  test('CG-01 a mount over the whole tree covers it, and what is mounted in that is seen', () => {
    const mountinfo = `${texts.hybridMounts}60 31 0:60 / /sys/fs/cgroup rw - tmpfs none rw
61 60 0:61 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
`
    const host = describeHost({ mountinfo, cgroup: texts.hybridCgroup, controllers: () => '' })
    expect(host.hierarchies.map(({ controllers }) => controllers)).toEqual([['memory']])
  })

  test('CG-02 the mount point of a controller, alone, together with others, or by name', () => {
    expect(findCgroupMountpoint(hybrid, 'memory')).toBe('/sys/fs/cgroup/memory')
    expect(findCgroupMountpoint(hybrid, 'cpu')).toBe('/sys/fs/cgroup/cpu,cpuacct')
    expect(findCgroupMountpoint(hybrid, 'cpuacct')).toBe('/sys/fs/cgroup/cpu,cpuacct')
    expect(findCgroupMountpoint(hybrid, 'name=systemd')).toBe('/sys/fs/cgroup/systemd')
    expect(findCgroupMountpoint(hybrid, '')).toBe('/sys/fs/cgroup/unified')
    expect(findCgroupMountpoint(hybrid, 'hugetlb')).toBe('/sys/fs/cgroup/unified')
    expect(() => findCgroupMountpoint(hybrid, 'rdma')).toThrow(
      expect.objectContaining({ code: 'NotFound', message: expect.stringContaining("'rdma'") }),
    )
  })

  test('CG-02 a hierarchy that is mounted nowhere is left out, and with more mounts the usual one is taken', () => {
    // blkio is in /proc/self/cgroup alone.
    expect(() => findCgroupMountpoint(hybrid, 'blkio')).toThrow('blkio')
    const twice = `20 28 0:32 / /srv/other\\040place rw - cgroup cgroup rw,memory\n${texts.hybridMounts}`
    const host = describeHost({ mountinfo: twice, cgroup: texts.hybridCgroup, controllers: () => '' })
    expect(findCgroupMountpoint(host, 'memory')).toBe('/sys/fs/cgroup/memory')
    const only = describeHost({ mountinfo: twice.split('\n')[0]!, cgroup: '6:memory:/\n', controllers: () => '' })
    expect(findCgroupMountpoint(only, 'memory')).toBe('/srv/other place')
  })

  test('CG-03 the directory of the mount points', () => {
    expect(findCgroupMountpointDir(hybrid)).toBe('/sys/fs/cgroup')
    expect(() => findCgroupMountpointDir(v2)).toThrow(expect.objectContaining({ code: 'NotFound' }))
  })

  test('CG-04 every v1 hierarchy with its controllers', () => {
    expect(getCgroupMounts(hybrid)).toContainEqual({
      mountpoint: '/sys/fs/cgroup/cpu,cpuacct',
      root: '/',
      subsystems: ['cpu', 'cpuacct'],
    })
    expect(getCgroupMounts(v2)).toEqual([])
  })

  test('CG-05 the enabled rows of /proc/cgroups', () => {
    const text = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\nmemory\t0\t90\t0\npids\t8\t2\t1\n'
    expect(parseSubsystems(text)).toEqual(['cpuset', 'pids'])
  })

  test('CG-06 a path keeps its colons, and the unified one has no name', () => {
    const paths = parseCgroupFile(texts.hybridCgroup)
    expect(paths.get('pids')).toBe('/user.slice/a:b')
    expect(paths.get('cpu')).toBe('/')
    expect(paths.get('cpuacct')).toBe('/')
    expect(paths.get('')).toBe('/user.slice')
    expect(parseCgroupFile('nonsense\n7:x')).toEqual(new Map())
  })

  test('CG-07 own cgroup below a mount that shows a part of the hierarchy', () => {
    const mountinfo = '31 28 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n'
    const own = (path: string): string | undefined =>
      describeHost({ mountinfo, cgroup: `6:memory:${path}\n`, controllers: () => '' }).hierarchies[0]?.own
    expect(own('/docker/abc')).toBe('')
    expect(own('/docker/abc/inner')).toBe('inner')
    expect(own('/docker/abcd')).toBe('')
    expect(own('/../outside')).toBe('')
  })
})

describe('where a cgroup lies', () => {
  const directories = (host: typeof v1, path: string): string[] =>
    placesOf(host, path).map(({ directory }) => directory)

  test('CG-08 an absolute path lies below the mounts', () => {
    expect(directories(v2, '/demo/one')).toEqual(['/sys/fs/cgroup/demo/one'])
    expect(directories(hybrid, '/demo')).toContain('/sys/fs/cgroup/memory/demo')
    expect(directories(hybrid, '/demo')).toContain('/sys/fs/cgroup/unified/demo')
  })

  test('CG-08 a relative one below the own cgroup, on v2 beside it', () => {
    expect(directories(hybrid, 'demo')).toContain('/sys/fs/cgroup/memory/jobs/one/demo')
    expect(directories(hybrid, 'demo')).toContain('/sys/fs/cgroup/pids/user.slice/a:b/demo')
    expect(directories(hybrid, 'demo')).toContain('/sys/fs/cgroup/unified/user.slice/demo')
    expect(directories(v2, 'demo')).toEqual(['/sys/fs/cgroup/user.slice/demo'])
  })

  test('CG-09 EV-141 `..` never climbs out', () => {
    expect(cleanPath('../../x')).toBe('x')
    expect(cleanPath('/../x//y/./z/')).toBe('x/y/z')
    expect(cleanPath('a/../../..')).toBe('')
    expect(directories(hybrid, '../../x')).toContain('/sys/fs/cgroup/memory/jobs/one/x')
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', 'b...')), parts => {
        const clean = cleanPath(parts.join('/')).split('/')
        expect(clean.some(part => part === '..' || part === '.')).toBe(false)
      }),
    )
  })

  test('CG-09 what no directory can be called is refused', async () => {
    for (const path of ['/a\0b', '/a\nb', `/${'x'.repeat(256)}`]) expect(() => cleanPath(path)).toThrow(ConfigInvalid)
    expect(() => Cgroup.createSteps(hybrid, '/..')).toThrow('below the top')
    await expect(Cgroup.create('/', {}, { host: hybrid })).rejects.toThrow(ConfigInvalid)
  })

  test('CG-20 CG-44 LR-18 every mounted hierarchy is made, the unified one too', () => {
    const steps = Cgroup.createSteps(hybrid, '/demo')
    expect(steps.map(({ path }) => path)).toEqual([
      '/sys/fs/cgroup/unified/demo',
      '/sys/fs/cgroup/pids/demo',
      '/sys/fs/cgroup/cpu,cpuacct/demo',
      '/sys/fs/cgroup/cpuset/demo',
      '/sys/fs/cgroup/memory/demo',
      '/sys/fs/cgroup/devices/demo',
      '/sys/fs/cgroup/freezer/demo',
      '/sys/fs/cgroup/systemd/demo',
    ])
  })

  test("CG-30 the cpuset takes its parent's processors and nodes, also under noprefix", () => {
    const cpuset = (host: typeof v1): unknown =>
      Cgroup.createSteps(host, '/demo').find(({ path }) => path?.includes('cpuset'))?.args[3]
    expect(cpuset(v1)).toBe('cpuset.cpus cpuset.mems')
    const mountinfo = texts.hybridMounts.replace('rw,cpuset', 'rw,cpuset,noprefix')
    expect(cpuset(describeHost({ mountinfo, cgroup: texts.hybridCgroup, controllers: () => '' }))).toBe('cpus mems')
  })

  test('CG-50 on v2 all controllers are handed on, on a hybrid host only what a limit needs', () => {
    const enabled = (host: typeof v1, limits = {}): unknown => Cgroup.createSteps(host, '/demo', limits)[0]!.args[2]
    expect(enabled(v2)).toBe('+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc')
    expect(enabled(hybrid)).toBe('')
    expect(enabled(hybrid, { unified: { 'hugetlb.2MB.max': '0' } })).toBe('+hugetlb')
  })
})
