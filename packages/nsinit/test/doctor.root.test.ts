import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  copyOfBusyboxRootfs,
  OrdinaryUser,
  requires,
  securityModules,
  temporaryDirectory,
  together,
} from '../../../test/support/index.js'
import { hosts } from './hosts.js'

interface Finding {
  readonly subject: string
  readonly name: string
  readonly needed: boolean
  readonly available: boolean
  readonly reason?: string
  readonly hint?: string
}

interface Report {
  readonly works: boolean
  readonly uid: number
  readonly findings: readonly Finding[]
}

const found = (report: Report, subject: string, name: string): Finding => {
  const finding = report.findings.find(each => each.subject === subject && each.name === name)
  expect(finding, `${subject} ${name}`).toBeDefined()
  return finding!
}

const needs = requires('root', 'rootfs', 'namespace:user')
let user: OrdinaryUser

beforeAll(() => {
  if (!needs.skip) user = new OrdinaryUser({ subIds: 1000 })
})
afterAll(() => user?.[Symbol.dispose]())

for (const host of hosts) {
  const both = together(needs, host.needs)
  const commandOf = (): string[] =>
    host.name === 'Node.js' ? [process.execPath, user.module('nsinit', 'dist/node/main.js')] : [user.executable]

  describe(host.name, () => {
    test('BY-11 nsinit doctor says what this host offers root, as data and for people', both, () => {
      using dir = temporaryDirectory('doctor-')
      const [first, ...rest] = host.command
      const run = (...args: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(first!, [...rest, '--root', join(dir.path, 'state'), 'doctor', ...args], { encoding: 'utf8' })
      const { status, stdout } = run('--json')
      const report = JSON.parse(String(stdout)) as Report
      expect({ status, works: report.works, uid: report.uid }).toEqual({ status: 0, works: true, uid: 0 })
      expect(found(report, 'containers', 'run').available).toBe(true)
      for (const name of ['apparmor', 'selinux'])
        expect(found(report, 'security modules', name).available).toBe(securityModules().includes(name))
      expect([...new Set(report.findings.map(({ subject }) => subject))]).toEqual(
        expect.arrayContaining([
          'containers',
          'kernel',
          'namespaces',
          'cgroups',
          'mounts',
          'seccomp',
          'devices',
          'init',
        ]),
      )
      const text = run()
      expect(text.status).toBe(0)
      expect(text.stdout).toMatch(/^Linux \S+ \(\w+\), uid 0, cgroups \w+\n\ncontainers\n {2}yes {2}run /)
      expect(text.stdout).toMatch(/\nContainers run here/)
      // What it has tried is gone.
      expect(readdirSync(join(dir.path, 'state'))).toEqual([])
    })

    test('BY-11 nsinit doctor tells an ordinary user of ids, cgroups and the line for each', both, () => {
      const { status, stdout } = user.run([...commandOf(), 'doctor', '--json'])
      const report = JSON.parse(stdout) as Report
      expect({ status, works: report.works, uid: report.uid }).toEqual({ status: 0, works: true, uid: user.uid })
      expect(found(report, 'users', 'subuid')).toMatchObject({ available: true, detail: '1000 ids' })
      expect(found(report, 'cgroups', 'delegation')).toMatchObject({
        available: false,
        hint: expect.stringMatching(/^(sudo |systemd-run --user --scope -p Delegate=yes )/),
      })
      // Whatever is lacking, and known how to mend, is told by what it costs.
      for (const { name, available, hint, ...rest } of report.findings)
        if (!available && hint !== undefined) expect({ name, ...rest }).toHaveProperty('loses')
      expect(readdirSync(join(user.runtime, 'nsinit'))).toEqual([])
    })

    test('BY-11 where user namespaces are switched off nsinit doctor exits with 1 and names the switch', both, () => {
      // The limit counts in each user namespace for itself: here in one of the test's own.
      const inside =
        'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all --securebits=+noroot "$@"'
      const blocked = ['unshare', '--user', '--map-root-user', 'sh', '-c', inside, 'sh', ...commandOf()]
      const { status, stdout } = user.run([...blocked, '--root', join(user.runtime, 'blocked'), 'doctor'])
      expect(status).toBe(1)
      expect(stdout).toMatch(/no {3}run .*user\.max_user_namespaces is 0/)
      expect(stdout).toMatch(/fix: sysctl -w user\.max_user_namespaces=15000/)
      expect(stdout).toContain('Containers do not run here, for want of: containers run.')
    })
  })
}

const executable = hosts[1]!
const inRootfs = together(needs, executable.needs)

test('BY-11 in a chroot nsinit doctor says so', inRootfs, () => {
  using rootfs = copyOfBusyboxRootfs()
  cpSync(user.executable, join(rootfs.path, 'nsinit'))
  for (const name of ['proc', 'tmp']) mkdirSync(join(rootfs.path, name), { recursive: true, mode: 0o1777 })
  const script = `mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/tmp" && chmod 755 "$0" &&
    mkdir "$0/tmp/in" && cp -a "$0/bin" "$0/nsinit" "$0/tmp/in" && mkdir "$0/tmp/in/proc" "$0/tmp/in/tmp" "$0/tmp/in/usr" && chmod 1777 "$0/tmp/in/tmp" &&
    mount --bind "$0/proc" "$0/tmp/in/proc" && exec chroot --userspec=${user.uid}:${user.uid} "$0/tmp/in" /nsinit doctor`
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, rootfs.path], {
    encoding: 'utf8',
  })
  expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringContaining('this process runs in a chroot') })
  expect(status).toBe(1)
})

test('BY-11 inside a container whose filter forbids user namespaces nsinit doctor says so', inRootfs, () => {
  using rootfs = copyOfBusyboxRootfs()
  using state = temporaryDirectory('doctor-')
  cpSync(user.executable, join(rootfs.path, 'nsinit'))
  for (const name of ['tmp', 'usr']) mkdirSync(join(rootfs.path, name), { recursive: true })
  chmodSync(rootfs.path, 0o755)
  const [first, ...rest] = executable.command
  const args = ['--root', join(state.path, 'state'), 'exec', '--id', `doctor-${process.pid}`, '--rootfs', rootfs.path]
  const { status, stdout, stderr } = spawnSync(
    first!,
    [...rest, ...args, '--user', '1000:1000', '/bin/sh', '-c', '/nsinit --root /dev/shm/state doctor'],
    { encoding: 'utf8' },
  )
  expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringContaining('a seccomp filter is in force') })
  expect(status).toBe(1)
})
