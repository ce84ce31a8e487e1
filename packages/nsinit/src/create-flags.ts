import type { Flag, Invocation } from '@libcontainer/cli'

/** The flags that make or change a config, for `exec`, `plan` and `config`: those of 2015. */
export const createFlags: readonly Flag[] = [
  { name: 'rootfs', value: 'DIR', about: 'the root filesystem' },
  { name: 'read-only', about: 'nobody may write to the root filesystem' },
  { name: 'hostname', value: 'NAME', about: 'its hostname (nsinit)' },
  { name: 'bind', value: 'SRC:DST[:ro|rw]', repeats: true, about: 'show a directory or file of the host inside' },
  { name: 'tmpfs', value: 'DST', repeats: true, about: 'an empty directory in memory' },
  { name: 'cgroup', about: 'show its cgroups on /sys/fs/cgroup, read-only' },
  { name: 'sysctl', value: 'KEY=VALUE', repeats: true, about: 'a parameter of the kernel, of its namespaces' },
  { name: 'groups', value: 'GROUP', repeats: true, about: 'a further group of its programs' },
  { name: 'ipc', value: 'NS', about: 'its ipc namespace: private, host, or the path of one' },
  { name: 'mnt', value: 'NS', about: 'its mount namespace' },
  { name: 'net', value: 'NS', about: 'its network namespace' },
  { name: 'pid', value: 'NS', about: 'its pid namespace' },
  { name: 'uts', value: 'NS', about: 'its uts namespace' },
  { name: 'userns-root-uid', value: 'UID', about: 'a user namespace, whose root is this user of the host' },
  { name: 'cpushares', value: 'N', about: 'its share of the processors, 2 to 262144' },
  { name: 'cpuset-cpus', value: 'LIST', about: 'the processors that it may use: 0-3,7' },
  { name: 'cpuset-mems', value: 'LIST', about: 'the memory nodes that it may use' },
  { name: 'memory-limit', value: 'BYTES', about: 'what it may use of memory; -1 for no limit' },
  { name: 'memory-swap', value: 'BYTES', about: 'what it may use of memory and swap together' },
  { name: 'memory-swappiness', value: 'N', about: '0 to 100: how readily its memory is swapped out' },
  { name: 'parent-death-signal', value: 'SIGNAL', about: 'what it gets when nsinit is killed (KILL; 0 for nothing)' },
  { name: 'security', value: 'LEVEL', about: 'high, medium or low: capabilities and system calls are taken away' },
  { name: 'apparmor-profile', value: 'NAME', about: 'the AppArmor profile of its programs, which is loaded' },
  { name: 'process-label', value: 'LABEL', about: 'the SELinux label of its programs' },
  { name: 'mount-label', value: 'LABEL', about: 'the SELinux label of its mounts' },
  { name: 'veth-bridge', value: 'NAME', about: 'eth0, on this bridge of the host' },
  { name: 'veth-address', value: 'CIDR', about: 'its address there, with its length' },
  { name: 'veth-gateway', value: 'ADDRESS', about: 'its way out: the default route' },
  { name: 'veth-mtu', value: 'N', about: 'the size of its packets, in bytes' },
]

/** Whether a command line says anything of a config. */
export const saysConfig = ({ flags }: Invocation): boolean => createFlags.some(({ name }) => flags.has(name))
