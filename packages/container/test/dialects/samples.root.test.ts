import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { type ContainerConfig, type ProcessSpec, readConfig } from '@libcontainer/container'
import { parseJson } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, copyOfBusyboxRootfs, requires, temporaryDirectory } from '../../../../test/support/index.js'
import { Bench } from '../support.js'
import { bounding, sampleFolder } from './samples.js'

const needs = requires('root', 'rootfs')
const load = (path: string): object => parseJson(readFileSync(`${sampleFolder}/${path}.json`, 'utf8')) as object

/** Runs a shell's script in the container of a sample, whose cgroup is one of the test's own. */
async function run(
  path: string,
  script: string,
  more: Partial<ContainerConfig> = {},
  spec: Partial<ProcessSpec> = {},
): Promise<string[]> {
  await using bench = await Bench.open('sample')
  const { config, process } = readConfig(load(path), { rootfs: busyboxRootfs() })
  const { path: _, ...limits } = config.cgroups ?? {}
  const own = { ...config, rootfs: busyboxRootfs(), cgroups: { ...limits, path: `/${bench.id()}` }, ...more }
  const text = await bench.text(script, own, {
    ...process,
    terminal: false,
    stdio: ['null', 'pipe', 'pipe'],
    ...spec,
    args: ['/bin/sh', '-c', script],
  })
  return text.split('\n')
}

const FACTS = 'hostname; whoami; ulimit -n; grep CapBnd /proc/self/status; ip link show lo | head -1'

describe('samples of 2014', () => {
  test('SA-01 D-01 minimal.json', needs, async () => {
    const [hostname, user, , caps, lo] = await run('2014/minimal', FACTS)
    expect({ hostname, user, caps: bounding(caps) }).toEqual({ hostname: 'koye', user: 'daemon', caps: 12 })
    expect(lo).toMatch(/UP/)
  })

  test('SA-01 restrict_sys: the kernel’s files cannot be written, and kcore not be read', needs, async () => {
    const files = ['/proc/sys/kernel/hostname', '/proc/sysrq-trigger', '/proc/irq/default_smp_affinity', '/sys/fs/x']
    const there = files.filter(file => existsSync(file.replace(/x$/, '')))
    const script = `for f in ${there.join(' ')}; do (echo 1 > $f) 2>&1 | sed "s/.*: //"; done; head -c 1 /proc/kcore 2>&- | wc -c; env`
    const lines = await run('2014/minimal', script, {}, { user: 'root' })
    for (const line of lines.slice(0, there.length))
      expect(line).toMatch(/Read-only file system|Permission denied|nonexistent directory/)
    expect(lines).toContain('Read-only file system')
    expect(lines[there.length]).toBe('0')
    expect(lines).toEqual(expect.arrayContaining(['HOME=/', 'HOSTNAME=koye', 'TERM=xterm']))
  })

  test('SA-07 host-pid.json sees the processes of the host', needs, async () => {
    const [hostname, self] = await run('2014/host-pid', 'hostname; readlink /proc/self')
    expect(hostname).toBe('host-pid')
    expect(Number(self)).toBeGreaterThan(2)
  })

  test('SA-09 readonly.json: the root and binds are read-only, tmpfs is not', needs, async () => {
    const script =
      'touch /x 2>&1; touch /mnt/x 2>&1; touch /tmp/x && echo written; awk \'$5 == "/mnt" { print $6 }\' /proc/self/mountinfo'
    const [root, bind, tmp, options] = await run('2014/readonly', script, {}, { user: 'root' })
    expect(root).toMatch(/Read-only/)
    expect(bind).toMatch(/Read-only/)
    expect(tmp).toBe('written')
    expect(options).toMatch(/^ro/)
  })
})

describe('samples of 2015', () => {
  test('SA-01 D-01 minimal.json', needs, async () => {
    const [hostname, user, files, caps, lo] = await run('2015/minimal', FACTS)
    expect({ hostname, user, files, caps: bounding(caps) }).toEqual({
      hostname: 'nsinit',
      user: 'root',
      files: '1024',
      caps: 14,
    })
    expect(lo).toMatch(/UP/)
    const [nodes, sys, kcore, stat] = await run(
      '2015/minimal',
      'ls -1 /dev | tr "\\n" " "; echo; touch /sys/x 2>&1; head -c 1 /proc/kcore 2>&- | wc -c; stat -c %a /dev/fuse',
    )
    for (const name of ['fuse', 'null', 'zero', 'full', 'tty', 'random', 'urandom', 'shm', 'mqueue', 'pts'])
      expect(nodes?.split(' ')).toContain(name)
    expect(sys).toMatch(/Read-only|Permission|not permitted/)
    expect({ kcore, stat }).toEqual({ kcore: '0', stat: '0' })
  })

  test('SA-07 host-pid.json sees the processes of the host', needs, async () => {
    const [hostname, self] = await run('2015/host-pid', 'hostname; readlink /proc/self')
    expect(hostname).toBe('host-pid')
    expect(Number(self)).toBeGreaterThan(2)
  })

  test('SA-06 userns.json: root inside is user 1000 outside, all others are themselves', needs, async () => {
    using rootfs = copyOfBusyboxRootfs()
    chmodSync(rootfs.path, 0o755)
    const [id, ...map] = await run('2015/userns', 'id -u; cat /proc/self/uid_map', { rootfs: rootfs.path })
    expect(id).toBe('0')
    const lines = map.map(line => line.trim().split(/\s+/).map(Number))
    expect(lines).toEqual([
      [0, 1000, 1],
      [1, 1, 999],
      [1001, 1001, 2147482647],
    ])
  })

  test('SA-09 readonly.json', needs, async () => {
    const [root, tmp] = await run('2015/readonly', 'touch /x 2>&1; touch /tmp/x && echo written')
    expect(root).toMatch(/Read-only/)
    expect(tmp).toBe('written')
  })

  test('SA-09 SC-01 seccomp.json: directories cannot be made, and new rights not be had', needs, async () => {
    if (process.arch !== 'x64') return
    const script = 'mkdir /tmp/x 2>&1; unshare -U true 2>&1; grep -E "NoNewPrivs|Seccomp:" /proc/self/status'
    const [mkdir, unshare, nnp, seccomp] = await run('2015/seccomp', script)
    expect(mkdir).toMatch(/Operation not permitted/)
    expect(unshare).toMatch(/Operation not permitted/)
    expect([nnp, seccomp]).toEqual(['NoNewPrivs:\t1', 'Seccomp:\t2'])
  })
})

describe('samples in our own words', () => {
  test('SA-09 readonly.json', needs, async () => {
    const [root, tmp] = await run('readonly', 'touch /x 2>&1; touch /tmp/x && echo written')
    expect(root).toMatch(/Read-only/)
    expect(tmp).toBe('written')
  })

  test('SA-09 seccomp.json', needs, async () => {
    const [mkdir, seccomp] = await run('seccomp', 'mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status')
    expect(mkdir).toMatch(/Operation not permitted/)
    expect(seccomp).toBe('Seccomp:\t2')
  })

  test('SA-09 time.json: the container has been up for a week', {
    ...requires('root', 'rootfs', 'namespace:time'),
  }, async () => {
    const [uptime = ''] = await run('time', 'cut -d. -f1 /proc/uptime')
    expect(Number(uptime)).toBeGreaterThan(604_800)
  })

  test(
    'SA-09 unified.json: raw files of cgroup v2',
    requires('root', 'rootfs', 'cgroup2:memory', 'cgroup2:pids'),
    async () => {
      const [high, group, max] = await run('unified', 'cd /sys/fs/cgroup; cat memory.high memory.oom.group pids.max')
      expect({ high, group, max }).toEqual({ high: '50331648', group: '1', max: '64' })
    },
  )

  test(
    'SA-09 unified.json on a host without those files is refused by name',
    requires('root', 'rootfs', 'cgroup1'),
    async () => {
      await expect(run('unified', 'true')).rejects.toThrow(/unified/)
    },
  )

  test('SA-09 rootless.json: one id, which is user 1000 outside', needs, async () => {
    using rootfs = copyOfBusyboxRootfs()
    chmodSync(rootfs.path, 0o755)
    const [id, map] = await run('rootless', 'id -u; tr -s " " < /proc/self/uid_map', { rootfs: rootfs.path })
    expect({ id, map: map?.trim() }).toEqual({ id: '0', map: '0 1000 1' })
  })
})

test('SA-09 hooks.json: programs of the host are run at both ends', needs, async () => {
  await using bench = await Bench.open('sample')
  using place = temporaryDirectory('hooks-')
  const mark = `${place.path}/started`
  const text = readFileSync(`${sampleFolder}/hooks.json`, 'utf8').replaceAll('/run/sample-hooks-started', mark)
  const { config } = readConfig(parseJson(text))
  const container = await bench.create({ ...config, rootfs: busyboxRootfs() })
  await container.run({ args: ['/bin/sleep', '1000'] })
  expect(JSON.parse(readFileSync(mark, 'utf8'))).toMatchObject({ id: container.id, status: 'running' })
  await container.destroy({ force: true })
  expect(existsSync(mark)).toBe(false)
})
