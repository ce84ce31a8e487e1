/** `range('FA', 1, 19)`: FA-01 … FA-19. */
function range(prefix: string, first: number, last: number, digits = 2): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${prefix}-${String(first + i).padStart(digits, '0')}`)
}

const ev = (first: number, last: number): string[] => range('EV', first, last, 3)

/** Bad input, by what it is said of. */
const badInput = [
  ...ev(1, 11), // ids and state
  ...ev(20, 28), // the root filesystem
  ...ev(30, 48), // namespaces and maps of ids
  ...ev(50, 64), // names, kernel settings, networks
  ...ev(70, 91), // mounts
  ...ev(100, 126), // processes and hooks
  ...ev(140, 163), // cgroups, devices
  ...ev(180, 200), // filters, checkpoints, files
]

/** What libcontainer, nsinit and OCI runtimes were to their users, row by row: each has a test whose name begins with its id. */
export const rows: readonly string[] = [
  ...range('D', 1, 13),
  ...range('FA', 1, 19),
  ...range('CO', 1, 28),
  ...range('ST', 1, 18),
  ...range('ER', 1, 15),
  ...range('PR', 1, 20),
  ...range('IN', 1, 19),
  ...range('HK', 1, 11),
  ...range('VAL', 1, 8),
  ...range('VAL', 20, 32),
  ...range('US', 1, 7),
  ...range('UT', 1, 14),
  ...range('KY', 1, 5),
  ...range('AA', 1, 10),
  ...range('SE', 1, 19),
  ...range('MP', 1, 4),
  ...range('PP', 1, 12),
  ...range('PP', 20, 26),
  ...range('DV', 1, 20),
  ...range('EX', 1, 4),
  ...range('RL', 1, 5),
  ...range('LR', 1, 18),
  ...range('NS', 1, 22),
  ...range('MT', 1, 28),
  ...range('MT', 30, 48),
  ...range('CN', 1, 17),
  ...range('CP', 1, 16),
  ...range('OC', 1, 17),
  ...range('OL', 1, 24),
  ...range('XT', 1, 15),
  ...range('CG', 1, 20),
  ...range('CG', 30, 44),
  ...range('CG', 50, 65),
  ...range('CG', 70, 83),
  ...range('CG', 90, 99),
  ...range('CG', 100, 104),
  ...range('SC', 1, 18),
  ...range('NL', 1, 24),
  ...range('BY', 1, 10),
  ...['BY-12', 'BY-13', 'BY-14', 'BY-15', 'BY-16', 'BY-17', 'BY-18', 'BY-19', 'BY-20', 'BY-21', 'BY-23', 'BY-24'],
  ...range('CL', 1, 7),
  ...range('CL', 10, 28),
  ...range('SA', 1, 9),
  ...range('CR', 1, 22),
  ...range('RD', 1, 9),
  ...range('NW', 1, 12),
  ...range('NW', 20, 23),
  'NL-30',
  'NL-31',
  'TS-01',
  'TS-02',
  'TS-04',
  'TS-05',
  ...badInput,
]

/** All that is said of cgroups. */
export const cgroupRows: readonly string[] = [
  ...rows.filter(id => id.startsWith('CG-')),
  ...ev(140, 160),
  ...['EV-162', 'EV-163', 'DV-14', 'VAL-28', 'RL-03', 'LR-07', 'LR-08', 'LR-18', 'XT-06'],
]

/** The fields that the cgroup of a config has had in any year: each has a test whose name begins with `5d` and has it. */
export const cgroupFields: readonly string[] = [
  ...['name', 'parent', 'path', 'slice', 'scope_prefix', 'driver', 'Systemd', 'Rootless', 'owner_uid'],
  ...['allow_all_devices', 'allowed_devices', 'denied_devices', 'devices', 'SkipDevices', 'SkipFreezeOnSet'],
  ...['memory', 'memory_reservation', 'memory_swap', 'kernel_memory', 'use_hierarchy', 'memory_swappiness'],
  ...['oom_kill_disable', 'memory_check_before_update'],
  ...['cpu_shares', 'cpu_weight', 'cpu_quota', 'cpu_period', 'cpu_burst', 'cpu_idle', 'cpu_rt_quota', 'cpu_rt_period'],
  ...['cpuset_cpus', 'cpuset_mems', 'pids_limit'],
  ...['blkio_weight', 'blkio_leaf_weight', 'blkio_weight_device', 'blkio_throttle_*_device'],
  ...['hugetlb_limit', 'net_prio_ifpriomap', 'net_cls_classid', 'rdma', 'unified', 'freezer'],
]

/** The rows without a test, and who owns them: the package or the part of the roadmap that they belong to. */
export const withoutTest: ReadonlyMap<string, string> = new Map([
  ['D-11', 'says how rows are read: the mechanism of others is not theirs to bind'],
])
