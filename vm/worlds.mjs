// Where which tests run. The host of `npm test` is often a hybrid of both kinds of cgroups: these are the worlds that it is not.

const events = 'packages/cgroups/test/events.root.test.ts'
const cgroups = [
  'packages/cgroups/test/cgroup.root.test.ts',
  'packages/cgroups/test/limits.root.test.ts',
  'packages/cgroups/test/stats.root.test.ts',
  'packages/cgroups/test/life.root.test.ts',
  events,
]
/** What the files of controllers take, and programs that start in a cgroup: of v1 a hybrid host shows the same. */
const unified = ['packages/cgroups/test/controllers.root.test.ts', 'packages/cgroups/test/spawn.root.test.ts']
/** Starts Node.js again and again. Races and broken hierarchies (faults.root.test.ts) are a hybrid host's: thousands of cgroups take minutes here. */
const command = 'packages/cgroups/test/command.root.test.ts'
/** What a machine of one's own is wanted for. */
const effects = 'packages/cgroups/test/effects.root.test.ts'
const delegation = 'packages/cgroups/test/delegation.root.test.ts'
/** The programs of the READMEs, by packages that are installed as from npm. */
const installed = 'vm/tests/installed.test.ts'
const notices = 'packages/cgroups/test/notices.root.test.ts'
const containers = ['packages/container/test/lifecycle.root.test.ts', 'packages/container/test/operations.root.test.ts']
/** What changes rules that are a program of cgroup v2. */
const devices = 'packages/container/test/live-devices.root.test.ts'
/** What a sample asks of cgroup v2. */
const samples = 'packages/container/test/dialects/samples.root.test.ts'
/** What a container is and sees by another kernel. */
const kernel = [
  'packages/container/test/isolation.root.test.ts',
  'packages/container/test/process.root.test.ts',
  'packages/container/test/core-scheduling.root.test.ts',
  'packages/namespaces/test/namespaces.root.test.ts',
  'packages/mount/test/recipe.root.test.ts',
  'packages/mount/test/host.root.test.ts',
  'packages/devices/test/nodes.root.test.ts',
  'packages/init/test/bootstrap.root.test.ts',
]

/** Of ordinary users: what they get as the tests' own user. */
const ordinary = ['packages/container/test/ordinary.test.ts', 'packages/nsinit/test/ordinary.test.ts']

/** Of systemd as process 1. */
const systemd = [
  'packages/cgroups/test/systemd/systemd.root.test.ts',
  'packages/container/test/systemd.root.test.ts',
  'packages/lcrun/test/systemd.root.test.ts',
]

/** Of AppArmor that enforces, as no container's host shows it. */
const apparmor = [
  'packages/apparmor/test/apparmor.root.test.ts',
  'packages/container/test/apparmor.root.test.ts',
  'packages/nsinit/test/samples.root.test.ts',
  'packages/lcrun/test/exec.root.test.ts',
]

/** Of SELinux that enforces, by Debian's policy and what guest/labels.cil adds for containers. */
const selinux = [
  'packages/container/test/selinux.root.test.ts',
  'packages/nsinit/test/samples.root.test.ts',
  'packages/lcrun/test/selinux.root.test.ts',
  'packages/selinux/test/selinux.root.test.ts',
  'packages/selinux/test/relabel.root.test.ts',
]

/** Of CRIU, which works on few kernels of developers' machines. */
const criu = ['criu', 'faults', 'outside'].map(name => `packages/criu/test/${name}.root.test.ts`)

/** Containers that are saved, and go on. */
const checkpoint = [
  'packages/container/test/checkpoint.root.test.ts',
  'packages/container/test/checkpoint-cases.root.test.ts',
  'packages/container/test/checkpoint-network.root.test.ts',
  'packages/lcrun/test/checkpoint.root.test.ts',
  'packages/nsinit/test/checkpoint.root.test.ts',
]

/** Both kinds at once: what depends on it, and is not of one of them. */
const hybrid = ['packages/cgroups/test/cgroup.root.test.ts', 'packages/cgroups/test/limits.root.test.ts']

const neighbours = 'packages/netlink/test/neighbours.root.test.ts'
const qdiscs = 'packages/netlink/test/qdiscs.root.test.ts'
const networks = 'packages/container/test/networks.root.test.ts'
/** Kinds of links and of queueing that the kernel of a developer's machine need not have, and what is made of them. */
const network = [
  'packages/netlink/test/link-kinds.root.test.ts',
  neighbours,
  qdiscs,
  'packages/network/test/lab.root.test.ts',
  networks,
]

/** One request at a time, each of 4 ms: a disk that two can fight for. */
const disk =
  'null_blk nr_devices=1 gb=1 queue_mode=2 irqmode=2 completion_nsec=4000000 hw_queue_depth=1 submit_queues=1'

/** What CRIU asks of a kernel about sockets, and how it locks networks. */
export const criuModules = [
  'nf_tables',
  'iptable_filter',
  'ip6table_filter',
  'xt_mark',
  'nf_conntrack',
  'inet_diag',
  'tcp_diag',
  'unix_diag',
  'netlink_diag',
  'af_packet_diag',
]

/** What no test may be skipped for the want of: see test/support/requires.ts. */
const everywhere = 'cgroup,rootfs,program,reachable'

/**
 * `user`: tests run as an ordinary user to whom a subtree of the cgroups is delegated. `init`: process 1, and `lsm`: a security module, on the large disk. `modules`: of the
 * kernel, loaded before, each with its parameters. `disk`: the large one all the same. `installed`: packages that are packed, and installed in an empty folder. `cpus`: 2, or 1
 * where no test keeps one busy: the emulator spends much on what processors do to each other.
 *
 * Two run at a time: the longest comes first.
 */
export const worlds = [
  {
    name: 'criu',
    cgroup: 'v2',
    disk: 'worlds',
    installed: ['criu', 'sys'],
    mustRun: `${everywhere},root,cgroup2,namespace,criu`,
    modules: criuModules,
    files: [...criu, ...checkpoint, installed],
  },
  {
    name: 'container',
    cgroup: 'v2',
    cpus: 1,
    mustRun: `${everywhere},root,cgroup2,namespace`,
    files: [...containers, ...kernel, samples, devices],
  },
  {
    name: 'v2',
    cgroup: 'v2',
    mustRun: `${everywhere},root,cgroup2,namespace,file:/dev/nullb0,file:/sys/class/zram-control/hot_add`,
    modules: ['bfq', 'zram num_devices=0', disk],
    files: [...cgroups, ...unified, command, effects, notices, delegation],
  },
  {
    name: 'user',
    cgroup: 'v2',
    user: true,
    mustRun: everywhere,
    installed: ['cgroups', 'sys'],
    // What the kernel tells of a cgroup it tells everybody who can read it.
    files: [installed, ...cgroups.filter(file => file !== events), ...unified, ...ordinary],
  },
  {
    name: 'v1',
    cgroup: 'v1',
    mustRun: `${everywhere},root,cgroup1,namespace,file:/sys/module/cls_cgroup`,
    modules: ['bfq', 'cls_cgroup'],
    files: [...cgroups, effects, notices, ...containers],
  },
  {
    name: 'selinux',
    cgroup: 'v2',
    lsm: 'selinux-enforcing',
    installed: ['selinux', 'sys'],
    mustRun: `${everywhere},root,cgroup2,namespace,lsm:selinux`,
    files: [...selinux, installed],
  },
  {
    name: 'apparmor',
    cgroup: 'v2',
    lsm: 'apparmor',
    installed: ['apparmor', 'sys'],
    mustRun: `${everywhere},root,cgroup2,namespace,lsm:apparmor`,
    files: [...apparmor, installed],
  },
  {
    name: 'systemd',
    cgroup: 'v2',
    init: 'systemd',
    mustRun: `${everywhere},root,cgroup2,namespace,file:/run/systemd/system`,
    files: systemd,
  },
  {
    name: 'network',
    cgroup: 'v2',
    mustRun: `${everywhere},root,namespace,link,qdisc`,
    // Those of links and of queueing the kernel loads by itself, when one is made.
    files: network,
  },
  {
    name: 'hybrid',
    cgroup: 'hybrid',
    mustRun: `${everywhere},root,cgroup1,hybrid`,
    files: hybrid,
  },
]

/**
 * Tests that are left out, and why: in an emulator everything takes ten to twenty times as long. Those whose names match `test`, or of a file
 * those whose names do not match `allBut`; in all worlds, or in `worlds`.
 */
export const leaveOut = [
  {
    test: 'a thousand are watched by one descriptor|hundreds below are listed|many cgroups at once, in order|many at once, and no',
    worlds: ['v1', 'user', 'hybrid'],
    why: 'hundreds of cgroups take long to make, and v2 shows it',
  },
  {
    test: 'two processes that create',
    why: 'starts three more of Node.js, where the test before it makes the same race in one',
  },
  {
    test: 'US-05 hostile files',
    why: 'copies a root filesystem for each kind of file; reading /etc/passwd safely is in packages/user',
  },
  {
    test: 'S24 the limit of open files|IN-13 S26 descriptors that this process got|PR-04 inherit: the streams of this process|FA-14 CO-13 another process may signal it|CO-02 a container that is being set up|PR-16 one that is aborted meanwhile',
    why: 'starts more of Node.js, and of the kernel asks what it asks everywhere',
  },
  {
    test: 'US-05 huge files|is looked up in PATH of its own environment|PP-07 IN-12 EV-102 what is not found|EV-116 what names nobody|PR-04 pipes: 10 MB out',
    why: 'reads files of the image, or moves much; a kernel of another age does it alike',
  },
  {
    test: '^two processes > ',
    why: 'locks and sockets know nothing of cgroups, and each of these starts several Node.js',
  },
  {
    test: 'CO-20 tells of memory pressure',
    worlds: ['v1'],
    why: 'reads hundreds of megabytes; a hybrid host has the same controller',
  },
  {
    file: 'packages/container/test/process.root.test.ts',
    allBut: '^attributes > |^the state that a program starts in > ',
    why: 'asks of the kernel what it asks everywhere',
  },
  {
    file: 'packages/container/test/isolation.root.test.ts',
    allBut:
      '^namespaces > |^sysctls > |^the default file systems > |^mounts of one’s own > |^a user namespace > |CVE-2019-5736',
    why: 'a path in an image is walked by rules of our own, on every kernel alike',
  },
  {
    test: 'EV-040 the kernel takes the maps',
    why: 'some hundred processes; a host shows it',
  },
  {
    file: 'packages/container/test/lifecycle.root.test.ts',
    worlds: ['v1'],
    allBut: '^statuses > |^signals and ends > |^destroy > ',
    why: 'starts containers, which a hybrid host does by the same hierarchies',
  },
  {
    test: '^faults > ',
    worlds: ['v1', 'hybrid'],
    why: 'a hybrid host shows it by the same hierarchies',
  },
  {
    test: 'S27 a process moves itself into every v1|EV-159 a user who may not',
    worlds: ['hybrid'],
    why: 'v1 shows it',
  },
  {
    test: 'whoever asks for its end is there for it|forty at a time|the time that all of it took|^fork: ',
    worlds: ['user'],
    why: 'starts more of Node.js, and v2 shows it',
  },
  {
    file: 'packages/nsinit/test/ordinary.test.ts',
    allBut: '^the executable > ',
    why: 'starts the command line several times, where the executable shows the same',
  },
  {
    file: command,
    allBut: 'want 10: OOM is told|--once: the cgroup',
    why: 'each starts Node.js, and asks for nothing of this world',
  },
  {
    file: 'packages/lcrun/test/systemd.root.test.ts',
    allBut: '^the executable > ',
    why: 'each starts the command line several times, where the executable shows the same',
  },
  { file: neighbours, allBut: 'VLANs of a bridge', why: 'asks for nothing that a host lacks' },
  { file: qdiscs, allBut: 'netem|fq_codel', why: 'asks for nothing that a host lacks' },
  {
    file: networks,
    allBut: 'on a link of the host',
    why: 'each starts containers, and asks for nothing that a host lacks',
  },
  {
    worlds: ['selinux'],
    test: 'SE-12 a /proc that somebody else has made',
    why: 'starts Node.js, and a host shows it',
  },
  {
    worlds: ['apparmor'],
    file: 'packages/nsinit/test/samples.root.test.ts',
    allBut: '^on the executable > SA-03',
    why: 'each starts a container that is as well started anywhere',
  },
  {
    worlds: ['selinux'],
    file: 'packages/nsinit/test/samples.root.test.ts',
    allBut: '^on the executable > SA-04 selinux',
    why: 'each starts a container that is as well started anywhere',
  },
  {
    worlds: ['apparmor'],
    file: 'packages/lcrun/test/exec.root.test.ts',
    allBut: '^the executable > AA-08',
    why: 'asks what is the same everywhere',
  },
  ...['lcrun', 'nsinit'].map(name => ({
    file: `packages/${name}/test/checkpoint.root.test.ts`,
    allBut: '^the executable > |podman saves|that runc has made',
    why: 'each starts the command line several times, where the executable shows the same',
  })),
  {
    test: '^sys-\\d\\.mjs of a README runs',
    worlds: ['criu'],
    why: 'runs in each world where packages are installed, and asks CRIU for nothing',
  },
  {
    file: samples,
    allBut: 'unified',
    why: 'each starts a container that is as well started anywhere',
  },
]
