import { type CgroupHost, describeHost } from '@libcontainer/cgroups'

/** What some machines say of themselves. */

const hybridMounts = `23 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
31 28 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 master:1 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`
const hybridCgroup = `12:pids:/user.slice/a:b
11:cpu,cpuacct:/
9:cpuset:/
6:memory:/jobs/one
5:devices:/
4:freezer:/
3:blkio:/
1:name=systemd:/user.slice
0::/user.slice
`
const v2Mounts = `28 1 8:1 / / rw,relatime - ext4 /dev/root rw
31 28 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`

export const texts = { hybridMounts, hybridCgroup, v2Mounts, v2Cgroup: '0::/user.slice/session-1.scope\n' }

const noControllers = (): string => ''

export const hybrid: CgroupHost = describeHost({
  mountinfo: hybridMounts,
  cgroup: hybridCgroup,
  controllers: () => 'hugetlb\n',
})

export const v1: CgroupHost = describeHost({
  mountinfo: hybridMounts.replace(/^41 .*\n/m, ''),
  cgroup: hybridCgroup,
  controllers: noControllers,
})

export const v2: CgroupHost = describeHost({
  mountinfo: v2Mounts,
  cgroup: texts.v2Cgroup,
  controllers: () => 'cpuset cpu io memory hugetlb pids rdma misc\n',
})

/** v2 where only some controllers were handed on. */
export const v2Bare: CgroupHost = describeHost({
  mountinfo: v2Mounts,
  cgroup: '0::/\n',
  controllers: () => 'pids\n',
})

/** v1 with every controller there is. */
export const v1Whole: CgroupHost = describeHost({
  mountinfo: `${hybridMounts.replace(/^41 .*\n/m, '')}${['blkio', 'hugetlb', 'net_cls,net_prio', 'rdma', 'misc']
    .map((name, i) => `${50 + i} 31 0:${50 + i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}`)
    .join('\n')}\n`,
  cgroup: `${hybridCgroup}20:hugetlb:/\n21:net_cls,net_prio:/\n22:rdma:/\n23:misc:/\n`,
  controllers: noControllers,
})
