// Where which tests run. The host of `npm test` is often a hybrid of both kinds of cgroups: these are the worlds that it is not.

const cgroups = ['packages/cgroups/test/cgroup.root.test.ts', 'packages/cgroups/test/limits.root.test.ts']
const notices = 'packages/cgroups/test/notices.root.test.ts'
const containers = ['packages/container/test/lifecycle.root.test.ts', 'packages/container/test/operations.root.test.ts']
/** Ordinary users, whom these tests run as root and become. */
const people = ['packages/container/test/rootless.root.test.ts', 'packages/nsinit/test/shell.root.test.ts']
/** What a sample asks of cgroup v2. */
const samples = 'packages/container/test/dialects/samples.root.test.ts'
/** What a container is and sees by another kernel; the kind of cgroups hardly matters. */
const kernel = [
  'packages/container/test/isolation.root.test.ts',
  'packages/container/test/process.root.test.ts',
  'packages/namespaces/test/namespaces.root.test.ts',
  'packages/mount/test/recipe.root.test.ts',
  'packages/mount/test/host.root.test.ts',
  'packages/devices/test/nodes.root.test.ts',
  'packages/init/test/bootstrap.root.test.ts',
]

/** Of ordinary users: what they get as the tests' own user. */
const ordinary = ['packages/container/test/ordinary.test.ts', 'packages/nsinit/test/ordinary.test.ts']

/** What no test may be skipped for the want of: see test/support/requires.ts. */
const everywhere = 'cgroup,rootfs,program,reachable'

/** `user`: tests run as an ordinary user to whom a subtree of the cgroups is delegated. */
export const worlds = [
  {
    name: 'v2',
    cgroup: 'v2',
    mustRun: `${everywhere},root,cgroup2,namespace`,
    files: [...cgroups, notices, ...containers, ...kernel, ...people, samples],
  },
  {
    name: 'v1',
    cgroup: 'v1',
    mustRun: `${everywhere},root,cgroup1,namespace`,
    files: [...cgroups, notices, ...containers],
  },
  { name: 'user', cgroup: 'v2', user: true, mustRun: everywhere, files: [...cgroups, ...ordinary] },
]

/**
 * Tests that are left out, and why: in an emulator everything takes ten to twenty times as long. Those whose names match `test`, or of a file
 * those whose names do not match `allBut`; in all worlds, or in `worlds`.
 */
export const leaveOut = [
  {
    test: 'two processes that create',
    why: 'starts three more of Node.js, where the test before it makes the same race in one',
  },
  {
    test: 'US-05 hostile files',
    why: 'copies a root filesystem for each kind of file; reading /etc/passwd safely is in packages/user',
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
    file: 'packages/container/test/rootless.root.test.ts',
    allBut: 'US-06|created, started, joined|a delegated cgroup is used',
    why: 'each starts two more of Node.js, and asks for nothing of this world',
  },
  {
    file: 'packages/nsinit/test/shell.root.test.ts',
    allBut: 'needs neither root nor any set-up|work as an ordinary user',
    why: 'each starts the command line several times, and asks for nothing of this world',
  },
  {
    file: samples,
    allBut: 'unified',
    why: 'each starts a container that is as well started anywhere',
  },
]
