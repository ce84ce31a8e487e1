import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { ContainerConfig } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { explainDenial, parseDenial } from '@libcontainer/selinux'
import { beforeAll, expect, test } from 'vitest'
import { alive, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, finished, inside, ownRootfs, sh, sleeper } from './support.js'

const needs = requires('root', 'rootfs', 'lsm:selinux', 'program:chcon')

beforeAll(() => {
  // Each denial is told, however many there are.
  if (!needs.skip) writeFileSync('/proc/sys/kernel/printk_ratelimit', '0')
})

const processLabel = (level: string, type = 'container_t'): string => `system_u:system_r:${type}:${level}`
const fileLabel = (level: string, type = 'container_file_t'): string => `system_u:object_r:${type}:${level}`
const [mine, other] = ['s0:c101,c102', 's0:c101,c103'] as const
/** The labels of a container by its level. */
const labels = (level: string) => ({ selinuxLabel: processLabel(level), mountLabel: fileLabel(level) })

/** As others see them: coreutils, and /proc. */
const contextOf = (...paths: string[]): string[] =>
  execFileSync('stat', ['--format=%C', ...paths], { encoding: 'utf8' })
    .trim()
    .split('\n')
const labelOf = (pid: number): string => readFileSync(`/proc/${pid}/attr/current`, 'utf8').replace(/\0$/, '')
const chcon = (label: string, ...paths: string[]): void => void execFileSync('chcon', ['-R', label, ...paths])

/** A root filesystem with a label, such as an engine hands over. */
function labelledRootfs(level: string) {
  const rootfs = ownRootfs()
  chcon(fileLabel(level), rootfs.path)
  return rootfs
}

/** What the kernel's log has of denials since. */
class Log {
  readonly #before = Log.#lines().length

  static #lines(): string[] {
    return execFileSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 })
      .split('\n')
      .filter(line => line.includes('avc:'))
  }

  denials() {
    return Log.#lines()
      .slice(this.#before)
      .flatMap(line => parseDenial(line) ?? [])
  }
}

/** Nothing but a label keeps root from anything. */
const open: Partial<ContainerConfig> = {
  capabilities: null,
  seccomp: null,
  maskedPaths: [],
  readonlyPaths: [],
  readonlyRootfs: false,
}

test(
  'SE-17 PR-10 first and further processes are under it, seen from outside; a further one has its own word',
  needs,
  async () => {
    await using bench = await Bench.open('selinux-exec')
    using rootfs = labelledRootfs(mine)
    const config = { rootfs: rootfs.path, ...labels(mine) }
    for (const more of [{}, { noNewPrivileges: true, seccomp: null }]) {
      const { container, init } = await bench.running({ ...config, ...more })
      expect(labelOf(init.pid)).toBe(processLabel(mine))
      const further = async (selinuxLabel?: string): Promise<string> => {
        const process = await container.exec({ ...sleeper, selinuxLabel })
        const label = labelOf(process.pid)
        process.signal('SIGKILL')
        await process.wait()
        return label
      }
      const own = processLabel(mine, 'container_init_t')
      expect([await further(), await further(''), await further(own)]).toEqual([
        processLabel(mine),
        processLabel(mine),
        own,
      ])
      expect(await inside(container, 'cat /proc/self/attr/current')).toBe(`${processLabel(mine)}\0`)
      await container.destroy({ force: true })
    }
    expect(labelOf(process.pid)).toMatch(/:unconfined_t:/)
  },
)

test(
  '5a mount_label SE-18 what is made for a container has its label, what is the kernel’s its own',
  needs,
  async () => {
    await using bench = await Bench.open('selinux-mounts')
    using rootfs = labelledRootfs(mine)
    mkdirSync(`${rootfs.path}/own`)
    const config = {
      rootfs: rootfs.path,
      ...labels(mine),
      mounts: [
        ...defaultMounts,
        { destination: '/tmp', type: 'tmpfs', options: ['size=1m'] },
        // As engines write it for mount(2).
        { destination: '/own', type: 'tmpfs', options: [`context="${fileLabel('s0:c7,c8')}"`] },
      ],
    }
    const { container, init } = await bench.running(config)
    const of = (...paths: string[]): string[] => contextOf(...paths.map(path => `/proc/${init.pid}/root${path}`))
    const made = ['/dev', '/dev/null', '/dev/pts', '/dev/shm', '/dev/mqueue', '/tmp', '/sys/firmware']
    expect(of(...made)).toEqual(made.map(() => fileLabel(mine)))
    expect(of('/own')).toEqual([fileLabel('s0:c7,c8')])
    expect(of('/proc', '/sys')).toEqual([fileLabel('s0', 'proc_t'), fileLabel('s0', 'sysfs_t')])
    expect(await inside(container, 'echo a > /tmp/a && echo b > /dev/shm/b && ls /dev/mqueue && cat /tmp/a')).toBe('a')
    expect(of('/tmp/a', '/dev/shm/b')).toEqual([fileLabel(mine), fileLabel(mine)])
    // A terminal is of its own /dev/pts.
    const process = await container.exec(sh('tty > /tmp/tty; sleep 1000', { terminal: true }))
    await expect.poll(() => inside(container, 'cat /tmp/tty')).toBe('/dev/pts/0')
    expect(of('/dev/pts/0')).toEqual([fileLabel(mine)])
    process.signal('SIGKILL')
    await process.wait()
  },
)

test('two containers of different categories: no files, no signals, and each denial is told', needs, async () => {
  await using bench = await Bench.open('selinux-apart')
  using volume = temporaryDirectory('selinux-volume-')
  writeFileSync(`${volume.path}/secret`, 'of mine\n')
  chcon(fileLabel(mine), volume.path)
  using one = labelledRootfs(mine)
  using two = labelledRootfs(other)
  const bind = { destination: '/mnt', type: 'bind', source: volume.path, options: ['rbind'] }
  for (const rootfs of [one, two]) mkdirSync(`${rootfs.path}/mnt`, { recursive: true })
  // They see each other's processes.
  const shared = { ...open, namespaces: ['mnt', 'ipc', 'uts', 'net'] as const, mounts: [...defaultMounts, bind] }
  const first = await bench.running({ ...shared, rootfs: one.path, ...labels(mine) })
  const second = await bench.running({ ...shared, rootfs: two.path, ...labels(other) })
  const script = `cat /mnt/secret; kill -CONT ${first.init.pid} && echo signalled; ls /proc/${first.init.pid} > /dev/null && echo looked; true`
  expect((await finished(await first.container.exec(sh(script, { stdio: ['null', 'pipe', 'pipe'] })))).stdout).toBe(
    'of mine\nsignalled\nlooked\n',
  )
  const log = new Log()
  const denied = await finished(await second.container.exec(sh(script, { stdio: ['null', 'pipe', 'pipe'] })))
  expect(denied.stdout).not.toMatch(/of mine|signalled|looked/)
  expect(denied.stderr.match(/ermission denied/g)?.length, denied.stderr).toBeGreaterThanOrEqual(2)
  const denials = log.denials().filter(({ source }) => source === processLabel(other))
  const told = denials.map(({ objectClass, permissions, target }) => `${objectClass} ${permissions.join()} ${target}`)
  expect(told).toContain(`dir search ${fileLabel(mine)}`)
  expect(told).toContain(`process signal ${processLabel(mine)}`)
  for (const denial of denials) {
    expect(denial.permissive).toBe(false)
    expect(explainDenial(denial)).toContain('c102')
  }
  expect(alive(first.init.pid)).toBe(true)
})
