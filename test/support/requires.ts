import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { landlockVersion } from '@libcontainer/sys'

/**
 * What a test may need of the machine:
 * - `root`: `CAP_SYS_ADMIN` in force, not merely uid 0; any other capability by its name;
 * - `cgroup1`, `cgroup2`: a hierarchy of that kind that can be written; with a controller after a colon, one that has it;
 * - `hybrid`: both kinds at once;
 * - `cgroup`: cgroups of whatever kind that can be made, by root or below what was delegated; with a controller after a colon, one that has it;
 * - `namespace:user` and so on: a kernel that makes one, by trying;
 * - `link:vlan`: a kernel that makes links of that kind, by trying; `qdisc:netem`: likewise queueing disciplines;
 * - `landlock:4`: Landlock with that version of its ABI, or a later one;
 * - `lsm:apparmor`: a security module that the kernel has switched on; `nolsm:apparmor`: one that it has not;
 * - `criu`: CRIU, on a kernel where it works;
 * - `kernel:5.12`: that version or a later one;
 * - `program:strace`: a program on PATH; `header:seccomp.h`: a C header;
 * - `file:/dev/fuse`: a path that exists;
 * - `rootfs`: test-rootfs/busybox;
 * - `reachable`: a work tree that every user may look into, and so somebody without privileges or of a user namespace.
 */
export type Requirement =
  | 'root'
  | `CAP_${string}`
  | 'cgroup1'
  | `cgroup1:${string}`
  | 'cgroup2'
  | `cgroup2:${string}`
  | 'hybrid'
  | 'cgroup'
  | `cgroup:${string}`
  | `namespace:${string}`
  | `link:${string}`
  | `qdisc:${string}`
  | `landlock:${number}`
  | `lsm:${string}`
  | `nolsm:${string}`
  | 'criu'
  | `kernel:${number}.${number}`
  | `program:${string}`
  | `header:${string}`
  | `file:${string}`
  | 'rootfs'
  | 'reachable'

export interface TestNeeds {
  skip: boolean
  tags: string[]
}

/**
 * The options of a test that needs something of the machine: `test('…', requires('root', 'cgroup2'), () => …)`.
 *
 * Each need is probed for itself, and where it is absent the test is skipped and the reason printed. The environment variable
 * LIBCONTAINER_TESTS_MUST_RUN turns that into a failure: set to `1` for every need, or to a list such as `root,cgroup1,program:gcc`
 * for those (a need with a colon is also meant by what stands before it).
 */
export function requires(...needs: Requirement[]): TestNeeds {
  let skip = false
  for (const need of needs) {
    const lack = lackOf(need)
    if (lack === undefined) continue
    if (mustRun(need)) throw new Error(`LIBCONTAINER_TESTS_MUST_RUN asks for ${need}: ${lack}`)
    skip = true
    if (!told.has(need)) process.stderr.write(`skipped, for want of ${need}: ${lack}\n`)
    told.add(need)
  }
  return { skip, tags: [...new Set(needs.map(kindOf))] }
}

/** What needs both. */
export function together(...needs: TestNeeds[]): TestNeeds {
  return { skip: needs.some(({ skip }) => skip), tags: [...new Set(needs.flatMap(({ tags }) => tags))] }
}

const told = new Set<Requirement>()
const known = new Map<Requirement, string | undefined>()

function kindOf(need: Requirement): string {
  return need.startsWith('CAP_') ? 'capability' : (need.split(':')[0] ?? need)
}

function mustRun(need: Requirement): boolean {
  const asked = (process.env.LIBCONTAINER_TESTS_MUST_RUN ?? '').split(',').map(word => word.trim())
  return asked.includes('1') || asked.includes('all') || asked.includes(need) || asked.includes(kindOf(need))
}

/** Why the machine does not have it, or `undefined` where it does. */
function lackOf(need: Requirement): string | undefined {
  if (!known.has(need)) known.set(need, probe(need))
  return known.get(need)
}

function probe(need: Requirement): string | undefined {
  const value = need.slice(need.indexOf(':') + 1)
  switch (kindOf(need)) {
    case 'root':
      return lackOfCapability('CAP_SYS_ADMIN')
    case 'capability':
      return lackOfCapability(need)
    case 'cgroup1':
      return lackOfCgroup1(need === 'cgroup1' ? undefined : value)
    case 'cgroup2':
      return lackOfCgroup2(need === 'cgroup2' ? undefined : value)
    case 'cgroup':
      return lackOfCgroup(need === 'cgroup' ? undefined : value)
    case 'hybrid':
      return lackOfCgroup1() ?? lackOfCgroup2()
    case 'namespace':
      return lackOfNamespace(value)
    case 'link':
      return lackOfLink(value)
    case 'qdisc':
      return lackOfQdisc(value)
    case 'landlock':
      return landlockVersion() >= Number(value) ? undefined : `the version of Landlock is ${landlockVersion()}`
    case 'lsm':
      return securityModules().includes(value)
        ? undefined
        : `the kernel has switched on: ${securityModules().join(', ') || 'nothing that it shows'}`
    case 'nolsm':
      return securityModules().includes(value) ? 'the kernel has switched it on' : undefined
    case 'criu':
      return lackOfCriu()
    case 'kernel':
      return atLeast(release(), value) ? undefined : `this is Linux ${release()}`
    case 'program':
      return onPath(value) ? undefined : `${value} is not on PATH`
    case 'header':
      return existsSync(join('/usr/include', value)) ? undefined : `/usr/include/${value} does not exist`
    case 'file':
      return existsSync(value) ? undefined : `${value} does not exist`
    case 'rootfs':
      return existsSync(new URL('../../test-rootfs/busybox', import.meta.url))
        ? undefined
        : 'test-rootfs/busybox.sh was not run'
    case 'reachable':
      return lackOfReach(fileURLToPath(new URL('../../', import.meta.url)))
    default:
      throw new Error(`no such need of a test: ${need}`)
  }
}

/** The capabilities that tests ask for, by their numbers in capability.h. */
const capabilities = new Map(
  Object.entries({
    CAP_CHOWN: 0,
    CAP_DAC_OVERRIDE: 1,
    CAP_KILL: 5,
    CAP_SETUID: 7,
    CAP_NET_ADMIN: 12,
    CAP_SYS_PTRACE: 19,
    CAP_SYS_ADMIN: 21,
    CAP_SYS_NICE: 23,
    CAP_SYS_RESOURCE: 24,
    CAP_SYS_TIME: 25,
    CAP_MKNOD: 27,
    CAP_SETFCAP: 31,
    CAP_MAC_ADMIN: 33,
    CAP_PERFMON: 38,
    CAP_BPF: 39,
  }),
)

function lackOfCapability(name: string): string | undefined {
  const number = capabilities.get(name)
  if (number === undefined) throw new Error(`${name} is not among the capabilities that test/support knows`)
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) >> BigInt(number)) & 1n ? undefined : `${name} is not in CapEff ${mask}`
}

interface CgroupMount {
  path: string
  options: string[]
}

function cgroupMounts(type: 'cgroup' | 'cgroup2'): CgroupMount[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(fields => fields[2] === type)
    .map(fields => ({ path: fields[1] ?? '', options: (fields[3] ?? '').split(',') }))
}

function lackOfCgroup1(controller?: string): string | undefined {
  const mounts = cgroupMounts('cgroup').filter(
    ({ options }) => controller === undefined || options.includes(controller),
  )
  if (mounts.length === 0) return `no v1 hierarchy${controller ? ` of ${controller}` : ''} is mounted`
  return mounts.some(({ path }) => writable(path)) ? undefined : `${mounts[0]?.path} is read-only`
}

function lackOfCgroup2(controller?: string): string | undefined {
  const [mount] = cgroupMounts('cgroup2')
  if (mount === undefined) return 'no cgroup2 is mounted'
  // What an ordinary user may do in it is another question: see `cgroup`.
  if (lackOfCapability('CAP_SYS_ADMIN') === undefined && !writable(mount.path)) return `${mount.path} is read-only`
  const has = readFileSync(join(mount.path, 'cgroup.controllers'), 'utf8').trim().split(' ')
  if (controller === undefined || has.includes(controller)) return undefined
  return `cgroup.controllers of ${mount.path} has: ${has.join(' ') || 'nothing'}`
}

/** The cgroups of an ordinary user are those beside its own, where the unified hierarchy is delegated to it. */
function lackOfCgroup(controller?: string): string | undefined {
  if (lackOfCapability('CAP_SYS_ADMIN') === undefined) {
    const lack = lackOfCgroup1(controller)
    return lack && lackOfCgroup2(controller) && lack
  }
  const [mount] = cgroupMounts('cgroup2')
  if (mount === undefined) return 'no cgroup2 is mounted'
  const parent = join(mount.path, dirname(ownUnifiedCgroup() ?? '/'))
  if (!writable(join(parent, 'cgroup.procs'))) return `${parent} is not delegated to this user`
  const has = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim().split(' ')
  if (controller === undefined || has.includes(controller)) return undefined
  return `cgroup.controllers of ${parent} has: ${has.join(' ') || 'nothing'}`
}

/** The cgroup of this process in the unified hierarchy. */
export function ownUnifiedCgroup(): string | undefined {
  return /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const unshareFlags = new Map(
  Object.entries({
    cgroup: '--cgroup',
    ipc: '--ipc',
    mnt: '--mount',
    net: '--net',
    pid: '--pid',
    time: '--time',
    user: '--user',
    uts: '--uts',
  }),
)

function lackOfNamespace(kind: string): string | undefined {
  const flag = unshareFlags.get(kind)
  if (flag === undefined) throw new Error(`no such kind of namespace: ${kind}`)
  if (!readdirSync('/proc/self/ns').includes(kind)) return `/proc/self/ns/${kind} does not exist`
  const { status, stderr } = spawnSync('unshare', [flag, '--fork', 'true'], { encoding: 'utf8' })
  return status === 0 ? undefined : stderr.trim() || 'unshare failed'
}

/** What a kind of link has to be made with: below it, or of its own. */
const linkWords: Record<string, string> = {
  ipvlan: 'link below0',
  macvlan: 'link below0',
  macvtap: 'link below0',
  vlan: 'link below0 type vlan id 1',
  vrf: 'type vrf table 10',
  vxlan: 'type vxlan id 1 dstport 4789',
}

function lackOfLink(kind: string): string | undefined {
  const words = linkWords[kind] ?? ''
  const failure = tryAtLink(`ip link add tried0 ${words.includes('type') ? words : `${words} type ${kind}`}`)
  return failure && `no link of the kind ${kind}: ${failure}`
}

function lackOfQdisc(kind: string): string | undefined {
  const failure = tryAtLink(`tc qdisc add dev below0 root ${kind}`)
  return failure && `no queueing discipline of the kind ${kind}: ${failure}`
}

/** Runs a command beside a link, in a network namespace that ends with it. @returns why it failed, if it did */
function tryAtLink(command: string): string | undefined {
  const script = `ip link add below0 type veth peer name below1 && ${command}`
  const { status, stderr } = spawnSync('unshare', ['--net', '--fork', 'sh', '-c', script], { encoding: 'utf8' })
  return status === 0 ? undefined : stderr?.trim() || `${command} failed`
}

/** Why others than its owner cannot look into it, if they cannot. */
export function lackOfReach(path: string): string | undefined {
  for (let at = dirname(path); at !== '/'; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return `${at} is closed to other users`
  }
  return undefined
}

/** The security modules that the kernel has switched on, as far as it shows them. */
export function securityModules(): string[] {
  const file = '/sys/kernel/security/lsm'
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(',') : []
}

/** Why CRIU does not work here, in its own words. */
function lackOfCriu(): string | undefined {
  const { status, error, stderr } = spawnSync('criu', ['check'], { encoding: 'utf8' })
  if (error !== undefined) return 'criu is not installed'
  return status === 0 ? undefined : `criu check: ${stderr.trim().split('\n')[0]}`
}

function atLeast(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10))
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, name)))
}
