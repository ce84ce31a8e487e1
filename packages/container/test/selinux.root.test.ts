import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Container, ContainerConfig, Process } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { explainDenial, parseDenial } from '@libcontainer/selinux'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  alive,
  requires,
  shellCommand,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'
import { fakeProc, mountingOverProc, written } from './fake-proc.js'
import { Bench, finished, hostIds, inside, ownRootfs, type Ran, sh, sleeper } from './support.js'

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
const chcon = (label: string, path: string): void => void execFileSync('chcon', ['-R', label, path])

/** A root filesystem with the label of a level, such as an engine hands over. */
function labelledRootfs(level: string): TemporaryDirectory {
  const rootfs = ownRootfs()
  chcon(fileLabel(level), rootfs.path)
  return rootfs
}

/** What the kernel's log has of denials since. */
class Log {
  readonly #before = Log.#lines().length

  static #lines(): string[] {
    const text = execFileSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 })
    return text.split('\n').filter(line => line.includes('avc:'))
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
  maskedPaths: ['/sys/firmware'],
  readonlyPaths: [],
  readonlyRootfs: false,
}

/** What a shell in a container says, and how it ends. */
const said = async (container: Container, script: string): Promise<Ran> =>
  await finished(await container.exec(sh(script, { stdio: ['null', 'pipe', 'pipe'] })))

/** The label of a further process. */
async function further(container: Container, selinuxLabel?: string): Promise<string> {
  const process = await container.exec({ ...sleeper, selinuxLabel })
  const label = labelOf(process.pid)
  process.signal('SIGKILL')
  await process.wait()
  return label
}

describe('two containers of different categories, which see each other’s processes', () => {
  let bench: Bench
  let first: { container: Container; init: Process }
  let second: { container: Container; init: Process }
  const directories: TemporaryDirectory[] = []
  const volumes: Record<'own' | 'shared' | 'unlabelled', string> = { own: '', shared: '', unlabelled: '' }

  beforeAll(async () => {
    if (needs.skip) return
    bench = await Bench.open('selinux')
    for (const name of ['own', 'shared', 'unlabelled'] as const) {
      const volume = temporaryDirectory(`selinux-${name}-`)
      directories.push(volume)
      volumes[name] = volume.path
      writeFileSync(`${volume.path}/file`, `${name}\n`)
    }
    const bind = (name: keyof typeof volumes, more: object = {}) => ({
      destination: `/mnt/${name}`,
      type: 'bind',
      source: volumes[name],
      options: ['rbind'],
      ...more,
    })
    const start = async (level: string, own: object) => {
      const rootfs = labelledRootfs(level)
      directories.push(rootfs)
      for (const name of ['mnt', 'context']) mkdirSync(`${rootfs.path}/${name}`, { recursive: true })
      writeFileSync(`${rootfs.path}/hooked`, '')
      chcon(fileLabel(level), rootfs.path)
      const hook = shellCommand('cat /proc/self/attr/current > /hooked', { env: ['PATH=/bin'] })
      return await bench.running({
        ...open,
        rootfs: rootfs.path,
        ...labels(level),
        namespaces: ['mnt', 'ipc', 'uts', 'net'],
        sessionKeyring: true,
        hooks: { startContainer: [hook] },
        mounts: [
          ...defaultMounts,
          { destination: '/tmp', type: 'tmpfs', options: ['size=1m'] },
          // As engines write it for mount(2).
          { destination: '/context', type: 'tmpfs', options: [`context="${fileLabel('s0:c7,c8')}"`] },
          bind('own', own),
          bind('shared', { relabel: 'z' }),
          bind('unlabelled'),
        ],
      })
    }
    first = await start(mine, { relabel: 'Z' })
    second = await start(other, {})
  })
  afterAll(async () => {
    if (needs.skip) return
    await bench[Symbol.asyncDispose]()
    for (const directory of directories) directory[Symbol.dispose]()
  })

  test(
    'SE-17 PR-10 HK-04 first, further and hooked processes are under it, seen from outside; a further one has its own word',
    needs,
    async () => {
      const { container, init } = first
      expect(labelOf(init.pid)).toBe(processLabel(mine))
      expect(labelOf(second.init.pid)).toBe(processLabel(other))
      expect(await inside(container, 'cat /hooked')).toBe(`${processLabel(mine)}\0`)
      const own = processLabel(mine, 'container_init_t')
      expect([await further(container), await further(container, own)]).toEqual([processLabel(mine), own])
      expect(await inside(container, 'cat /proc/self/attr/current', { noNewPrivileges: true })).toBe(
        `${processLabel(mine)}\0`,
      )
      expect(labelOf(process.pid)).toMatch(/:unconfined_t:/)
    },
  )

  test(
    '5a mount_label SE-18 what is made for a container has its label, what is the kernel’s its own',
    needs,
    async () => {
      const { container, init } = first
      const of = (...paths: string[]): string[] => contextOf(...paths.map(path => `/proc/${init.pid}/root${path}`))
      const made = ['/dev', '/dev/null', '/dev/pts', '/dev/shm', '/dev/mqueue', '/tmp', '/sys/firmware']
      expect(of(...made)).toEqual(made.map(() => fileLabel(mine)))
      expect(of('/context', '/proc', '/sys')).toEqual([
        fileLabel('s0:c7,c8'),
        fileLabel('s0', 'proc_t'),
        fileLabel('s0', 'sysfs_t'),
      ])
      expect(await inside(container, 'echo a > /tmp/a && echo b > /dev/shm/b && ls /dev/mqueue && cat /tmp/a')).toBe(
        'a',
      )
      expect(of('/tmp/a', '/dev/shm/b')).toEqual([fileLabel(mine), fileLabel(mine)])
      // A terminal is of its own /dev/pts.
      const process = await container.exec(sh('tty > /tmp/tty; sleep 1000', { terminal: true }))
      await expect.poll(() => readFileSync(`/proc/${init.pid}/root/tmp/tty`, 'utf8')).toBe('/dev/pts/0\n')
      expect(of('/dev/pts/0')).toEqual([fileLabel(mine)])
      process.signal('SIGKILL')
      await process.wait()
    },
  )

  test('SE-16 the session keyring is the container’s own to look at', needs, async () => {
    const keyring = `grep -c '_ses.${first.container.id}' /proc/keys`
    expect((await said(first.container, keyring)).stdout).toBe('1\n')
    expect((await said(second.container, keyring)).stdout).toBe('0\n')
  })

  test(
    '5b relabel SE-12 a volume that is relabelled can be used: by one container, or by all; one that is not is denied',
    needs,
    async () => {
      expect(contextOf(volumes.own, `${volumes.own}/file`)).toEqual([fileLabel(mine), fileLabel(mine)])
      expect(contextOf(`${volumes.shared}/file`)).toEqual([fileLabel('s0')])
      expect(await inside(first.container, 'cat /mnt/own/file /mnt/shared/file')).toBe('own\nshared')
      expect(await inside(second.container, 'echo more >> /mnt/shared/file; cat /mnt/shared/file')).toBe('shared\nmore')
      const log = new Log()
      for (const { container } of [first, second])
        expect((await said(container, 'cat /mnt/unlabelled/file')).stderr).toMatch(/ermission denied/)
      for (const level of [mine, other]) {
        const told = log.denials().find(({ source }) => source === processLabel(level))
        expect(told).toMatchObject({ objectClass: 'dir', permissive: false })
        expect(explainDenial(told!)).toContain(`allow container_t user_tmp_t:dir`)
      }
    },
  )

  test('no files, no signals, no looks, and each denial is told', needs, async () => {
    const { pid } = first.init
    const script = `cat /mnt/own/file; kill -CONT ${pid} && echo signalled; ls /proc/${pid} > /dev/null && echo looked; true`
    expect((await said(first.container, script)).stdout).toBe('own\nsignalled\nlooked\n')
    const log = new Log()
    const { stdout, stderr } = await said(second.container, script)
    expect([stdout, stderr.match(/ermission denied|not permitted/g)?.length], stderr).toEqual(['', 3])
    const denials = log.denials().filter(({ source }) => source === processLabel(other))
    const told = denials.map(({ objectClass, permissions, target }) => `${objectClass} ${permissions.join()} ${target}`)
    expect(told).toEqual(
      expect.arrayContaining([
        `dir search ${fileLabel(mine)}`,
        `process signal ${processLabel(mine)}`,
        `dir read ${processLabel(mine)}`,
      ]),
    )
    for (const denial of denials) {
      expect(denial.permissive).toBe(false)
      expect(explainDenial(denial)).toContain('c102')
    }
    expect(alive(pid)).toBe(true)
  })

  test(
    'VAL-06 EV-115 EV-085 what the policy does not know, or the system needs, is refused by its field, and nothing is left',
    needs,
    async () => {
      const absent = processLabel(mine, 'absent_t')
      const refused = (field: string) => ({ code: 'ConfigInvalid', field })
      await expect(bench.create({ selinuxLabel: absent })).rejects.toMatchObject(refused('selinuxLabel'))
      await expect(bench.create({ mountLabel: absent })).rejects.toMatchObject(refused('mountLabel'))
      const running = await first.container.processes()
      await expect(first.container.exec({ ...sleeper, selinuxLabel: absent })).rejects.toMatchObject(
        refused('process.selinuxLabel'),
      )
      for (const source of ['/usr', '/etc/../etc', '/proc/self/root']) {
        const mounts = [...defaultMounts, { destination: '/mnt', type: 'bind', source, relabel: 'Z' as const }]
        await expect(bench.create({ ...labels(mine), mounts })).rejects.toMatchObject(
          refused(`mounts[${defaultMounts.length}].relabel`),
        )
      }
      // The policy knows it, and lets nobody go there from here.
      await expect(first.container.exec({ ...sleeper, selinuxLabel: processLabel(mine, 'dmesg_t') })).rejects.toThrow(
        /EACCES|EPERM/,
      )
      expect(await first.container.processes()).toEqual(running)
      expect(contextOf('/usr')).toEqual([fileLabel('s0', 'usr_t')])
    },
  )
})

test(
  'CVE-2019-16884 CVE-2025-52881 CVE-2025-62596 fake files, and mounts over /proc meanwhile: the label is in force, or it is an error',
  needs,
  async () => {
    await using bench = await Bench.open('selinux-fake')
    using rootfs = ownRootfs()
    using volume = temporaryDirectory('selinux-volume-')
    const fakes = [`${rootfs.path}/proc`, `${rootfs.path}/fake`, volume.path]
    fakes.forEach(fakeProc)
    chcon(fileLabel(mine), rootfs.path)
    const over = shellCommand(`mount --bind ${volume.path} ${rootfs.path}/proc`, {
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    })
    const { container, init } = await bench.running({
      ...open,
      ...labels(mine),
      rootfs: rootfs.path,
      maskedPaths: [],
      mounts: defaultMounts.filter(({ destination }) => !destination.startsWith('/proc')),
      hooks: { createContainer: [over] },
      sessionKeyring: true,
    })
    expect(labelOf(init.pid)).toBe(processLabel(mine))
    await using _ = await mountingOverProc(init.pid, '/fake')
    const own = processLabel(mine, 'container_init_t')
    for (let i = 0; i < 5; i++) {
      const label = await further(container, own).catch(() => undefined)
      if (label !== undefined) expect(label).toBe(own)
    }
    expect(fakes.flatMap(written)).toEqual([])
  },
)

test(
  '5a mount_label a root overlay has the label, whatever its directories have; and so in a user namespace',
  needs,
  async () => {
    await using bench = await Bench.open('selinux-overlay')
    using rootfs = ownRootfs()
    // What of it is mapped into memory the kernel judges by the label beneath: one that all containers read.
    chcon(fileLabel('s0', 'container_ro_file_t'), rootfs.path)
    const config = { rootfs: rootfs.path, rootOverlay: { temporary: true }, ...labels(mine) }
    const text = 'cat /proc/self/attr/current; echo; echo a > /a && cat /a'
    expect(await bench.text(text, config)).toBe(`${processLabel(mine)}\0\na`)
    const mapped = {
      ...config,
      namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'] as const,
      uidMappings: hostIds,
      gidMappings: hostIds,
    }
    expect(await bench.text(text, mapped)).toBe(`${processLabel(mine)}\0\na`)
    expect(contextOf(`${rootfs.path}/bin`)).toEqual([fileLabel('s0', 'container_ro_file_t')])
  },
)
