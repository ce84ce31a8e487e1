import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Cgroup } from '@libcontainer/cgroups'
import { exampleSpec, inSpecWords, parseSpec, type Spec, toContainerConfig, toRootless } from '@libcontainer/oci'
import { features as seccompFeatures } from '@libcontainer/seccomp'
import { stringifyJson } from '@libcontainer/sys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, finished, printed } from '../../container/test/support.js'

const needs = requires('root', 'rootfs')

/** What a program sees of its container, part by part. */
const look = `
  echo "== id"; id -u; id -g; id -G; umask; pwd; hostname
  echo "== status"; grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status
  echo "== limits"; cat /proc/self/limits
  echo "== env"; env | sort
  echo "== mounts"; cut -d' ' -f5- /proc/self/mountinfo
  echo "== dev"; ls -ln /dev | grep -v total | sed 's/ \\+[A-Z][a-z][a-z] .*:[0-9]* / /' | sort
  echo "== masked"; for f in /proc/kcore /proc/timer_list /proc/scsi /sys/firmware; do ls $f | wc -l; wc -c < $f; done 2>/dev/null
  echo "== fds"; ls -l /proc/self/fd 2>/dev/null | awk '{print $9}' | sort -n | tr '\\n' ' '
  echo "== oom"; cat /proc/self/oom_score_adj
  echo "== links"; cat /sys/class/net/*/operstate /proc/net/dev | grep -c :
`

/** The example with a script in place of its shell, and whatever is changed besides. */
const scripted = (script: string, changes: Partial<Record<keyof Spec, object | string>> = {}): Spec => {
  const spec = exampleSpec({ cgroup2: existsSync('/sys/fs/cgroup/cgroup.procs') })
  const process = { ...spec.process, terminal: false, args: ['/bin/sh', '-c', script], ...(changes.process as object) }
  return {
    ...spec,
    root: { path: busyboxRootfs(), readonly: true },
    ...changes,
    process: process as NonNullable<Spec['process']>,
    linux: { ...spec.linux, ...(changes.linux as object) },
  } as Spec
}

let bundle: TemporaryDirectory
beforeAll(() => {
  bundle = temporaryDirectory('oci-bundle-')
})
afterAll(() => {
  bundle[Symbol.dispose]()
})

/** What it prints as a container of this library. */
async function byUs(spec: Spec): Promise<string> {
  await using bench = await Bench.open('oci')
  const id = bench.id()
  const cgroupsPath = spec.linux?.cgroupsPath ?? `/${id}`
  const text = stringifyJson({ ...spec, linux: { ...spec.linux, cgroupsPath } })
  const { config, process } = toContainerConfig(parseSpec(text), { id, bundle: bundle.path })
  try {
    const container = await bench.factory.create(id, config)
    const child = await container.run({ ...process!, stdio: ['null', 'pipe', 'pipe'] })
    return printed(await finished(child))
  } catch (error) {
    throw inSpecWords(error)
  }
}

/** What it prints under runc. */
function byRunc(spec: Spec): string {
  using directory = temporaryDirectory('oci-runc-')
  writeFileSync(`${directory.path}/config.json`, stringifyJson(spec))
  const id = `oci-${process.pid}-${Math.floor(performance.now())}`
  const root = `${directory.path}/state`
  mkdirSync(root)
  const { status, stdout, stderr } = spawnSync('runc', ['--root', root, 'run', '--bundle', directory.path, id], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status !== 0) {
    execFileSync('runc', ['--root', root, 'delete', '--force', id], { stdio: 'ignore' })
    throw new Error(stderr)
  }
  return stdout.trimEnd()
}

/** The parts of what {@link look} prints, by their names. */
const parts = (text: string): Record<string, string[]> =>
  Object.fromEntries(
    text
      .split('== ')
      .slice(1)
      .map(part => [part.split('\n')[0], part.trimEnd().split('\n').slice(1)]),
  )

describe('what is in a container that a config.json describes', () => {
  test('OC-15 the example starts, and is what it says', needs, async () => {
    const seen = parts(await byUs(scripted(look)))
    expect(seen.id).toEqual(['0', '0', '0', '0022', '/', 'lcrun'])
    expect(seen.env).toEqual([
      'HOME=/root',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'PWD=/',
      'SHLVL=1',
      'TERM=xterm',
    ])
    expect(seen.status).toContain('CapBnd:\t0000000020000420')
    expect(seen.status).toContain('NoNewPrivs:\t1')
    expect(seen.status).toContain('Seccomp:\t0')
    expect(seen.limits!.find(line => line.startsWith('Max open files'))).toMatch(/1024\s+1024/)
    expect(seen.mounts![0]).toMatch(/^\/ ro/)
    expect(seen.links).toEqual(['1'])
  })

  test('without capabilities there are none, as under runc', requires('root', 'rootfs', 'program:runc'), async () => {
    const spec = scripted('grep ^Cap /proc/self/status', { process: { capabilities: undefined } })
    const ours = await byUs(spec)
    expect(ours).toMatch(/CapBnd:\t0{16}/)
    expect(ours).toBe(byRunc(spec))
  })

  test('user, groups, umask, limits, oom score, directory, environment', needs, async () => {
    const user = { uid: 5, gid: 6, additionalGids: [7, 8], umask: 0o27 }
    const process = { user, cwd: '/tmp', env: ['PATH=/bin', 'A=b=c'], oomScoreAdj: 500, noNewPrivileges: false }
    const spec = scripted('id -u; id -g; id -G; umask; pwd; echo $A; cat /proc/self/oom_score_adj', { process })
    expect((await byUs(spec)).split('\n')).toEqual(['5', '6', '6 7 8', '0027', '/tmp', 'b=c', '500'])
  })

  test('OC-12 the filter is loaded, an empty one is none', needs, async () => {
    const status = (seccomp: object) => byUs(scripted('grep ^Seccomp: /proc/self/status', { linux: { seccomp } }))
    expect(await status({})).toBe('Seccomp:\t0')
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }]
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', architectures: seccompFeatures().archs, syscalls }
    const spec = scripted('grep ^Seccomp: /proc/self/status; mkdir /tmp/x 2>&1 || true', { linux: { seccomp } })
    expect(await byUs(spec)).toBe("Seccomp:\t2\nmkdir: can't create directory '/tmp/x': No space left on device")
  })

  test('OC-02 OC-03 OC-08 devices: what is asked for beside the six, by rules and modes', needs, async () => {
    const devices = [
      { type: 'c', path: '/dev/mem0', major: 1, minor: 3, fileMode: 0o20646, uid: 3, gid: 4 },
      { type: 'p', path: '/dev/fifo', fileMode: 0o600 },
    ]
    const script = 'cd /dev; ls -ln mem0 fifo null full | cut -c1-10; echo x > mem0 && echo wrote; stat -c "%u %g" mem0'
    expect((await byUs(scripted(script, { linux: { devices } }))).split('\n')).toEqual([
      'prw-------',
      'crw-rw-rw-',
      'crw-r--rw-',
      'crw-rw-rw-',
      'wrote',
      '3 4',
    ])
  })

  test('OC-04 a device that no rule allows cannot be opened', requires('root', 'rootfs', 'cgroup'), async () => {
    const devices = [{ type: 'c', path: '/dev/spare', major: 10, minor: 229, fileMode: 0o666 }]
    const rules = [{ allow: false, access: 'rwm' }]
    const read = 'head -c0 /dev/spare 2>&1 && echo open || true'
    const denied = await byUs(scripted(read, { linux: { devices, resources: { devices: rules } } }))
    expect(denied).toContain('Operation not permitted')
    const allowed = [...rules, { allow: true, type: 'c', major: 10, minor: 229, access: 'r' }]
    // Where the kernel has no such device there is ENODEV then, which no cgroup answers.
    const open = await byUs(scripted(read, { linux: { devices, resources: { devices: allowed } } }))
    expect(open).toMatch(/^open$|No such device/)
  })

  test('mounts: binds relative to the bundle, tmpfs with options, read-only ones', needs, async () => {
    writeFileSync(`${bundle.path}/greeting`, 'hello\n')
    mkdirSync(`${bundle.path}/volume`)
    const mounts = [
      ...exampleSpec().mounts!,
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=1m', 'mode=0700'] },
      { destination: '/tmp/greeting', type: 'bind', source: 'greeting', options: ['bind', 'ro'] },
      { destination: '/tmp/volume', type: 'bind', source: 'volume', options: ['rbind', 'rw', 'rprivate'] },
    ]
    const script =
      'cat /tmp/greeting; echo no 2>/dev/null > /tmp/greeting || echo ro; echo 1 > /tmp/volume/x; stat -c %a /tmp'
    expect(await byUs(scripted(script, { mounts }))).toBe('hello\nro\n700')
    expect(readFileSync(`${bundle.path}/volume/x`, 'utf8')).toBe('1\n')
  })

  test('OC-13 personality, sysctl, domain name, time offsets', needs, async () => {
    const namespaces = [...exampleSpec().linux!.namespaces!, { type: 'time' }]
    const linux = {
      namespaces,
      personality: { domain: 'LINUX32' },
      sysctl: { 'kernel.shmmni': '77', 'net.ipv4.ip_unprivileged_port_start': '80' },
      timeOffsets: { boottime: { secs: 1_000_000_000 } },
    }
    const script = 'uname -m; cat /proc/sys/kernel/shmmni /proc/sys/kernel/domainname; cut -d. -f1 /proc/uptime'
    const [machine, shmmni, domain, uptime] = (
      await byUs(scripted(script, { linux, domainname: 'example.org' }))
    ).split('\n')
    expect(machine).toMatch(/^(i686|armv8l)$/)
    expect([shmmni, domain]).toEqual(['77', 'example.org'])
    expect(Number(uptime)).toBeGreaterThan(1_000_000_000)
  })

  test(
    'OC-07 OC-15 the rootless example: a user namespace of its own',
    requires('root', 'rootfs', 'namespace:user'),
    async () => {
      const spec = scripted('id -u; cat /proc/self/uid_map; test -d /sys/class && echo sys')
      const rootless = toRootless(spec, { uid: 0, gid: 0 })
      const [uid, map, sys] = (await byUs(rootless)).split('\n')
      expect([uid, map!.trim().split(/\s+/), sys]).toEqual(['0', ['0', '0', '1'], 'sys'])
    },
  )

  test('OC-05 the cgroup is where the path says', requires('root', 'rootfs', 'cgroup'), async () => {
    const parent = `/oci-path-${process.pid}`
    const cgroupsPath = `${parent}/below`
    try {
      const own = await byUs(scripted('cat /proc/self/cgroup', { linux: { cgroupsPath } }))
      expect(own).toContain(cgroupsPath)
    } finally {
      // The directory above a container's cgroup stays, and is the test's.
      await (await Cgroup.open(parent)).destroy()
    }
  })
})

test('EV-020 what cannot be used is told by its place in config.json', needs, async () => {
  const spec = { ...scripted('true'), root: { path: '/nowhere/at/all' } }
  await expect(byUs(spec)).rejects.toMatchObject({ field: 'root.path', code: 'ConfigInvalid' })
  await expect(byUs(scripted('true', { process: { cwd: 'tmp' } }))).rejects.toMatchObject({ field: 'process.cwd' })
  await expect(byUs(scripted('true', { process: { args: [] } }))).rejects.toMatchObject({ field: 'process.args' })
  await expect(byUs(scripted('true', { process: { env: ['A'] } }))).rejects.toMatchObject({ field: 'process.env[0]' })
  const sysctl = { 'kernel.panic': '5' }
  await expect(byUs(scripted('true', { linux: { sysctl } }))).rejects.toMatchObject({
    field: "linux.sysctl['kernel.panic']",
  })
})
