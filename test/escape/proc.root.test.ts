import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { defaultMaskedPaths, defaultReadonlyPaths } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { type Step, slot } from '@libcontainer/sys'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { Jail } from './jail.js'
import { all, inFront, replace, TARGET_PROC, without } from './weaken.js'

const needs = requires('root', 'rootfs')
const AT_FDCWD = -100

let jail: Jail

beforeAll(async () => {
  jail = await Jail.open()
})
afterAll(async () => await jail[Symbol.asyncDispose]())
beforeEach(() => {
  for (const name of ['proc', 'sys', 'srv', 'mnt']) jail.directory(name)
})

test('CVE-2015-3630 what /proc and /sys tell of the host, and would let change', needs, async () => {
  const masked = defaultMaskedPaths.filter(path => existsSync(path))
  const readonly = defaultReadonlyPaths.filter(path => existsSync(path))
  expect(Math.min(masked.length, readonly.length)).toBeGreaterThan(2)
  const script = `
    for path in ${masked.join(' ')}; do
      if [ -d $path ]; then [ -n "$(ls -A $path)" ] && echo "$path tells"
      else [ -n "$(head -c 1 $path 2>/dev/null | tr -d '\\0')" ] && echo "$path tells"; fi
    done
    for path in $(find ${readonly.join(' ')} -type f 2>/dev/null | head -200); do
      { true >> $path; } 2>/dev/null && echo "$path can be written"
    done
    true`
  const weak = await jail.run(script, { weaken: without('maskPaths', 'readonlyPaths', 'openNull') })
  expect(weak.stdout).toMatch(/tells/)
  expect(weak.stdout).toMatch(/\/proc\/sys\/.* can be written/)
  const real = await jail.run(script)
  expect(real).toMatchObject({ refused: undefined, stdout: '', code: 0 })
})

/** A volume of the image: `how` as for any file system. */
const volume = (destination: string, how: number): Step => ({
  op: 'mountFilesystem',
  args: [slot('root'), destination, 'tmpfs', 'volume', new Uint8Array(0), 0, how, 0],
  about: `mount a volume on ${destination}`,
  path: destination,
})

test('CVE-2015-3631 CVE-2019-16884 a volume over files of /proc', needs, async () => {
  // A place where a runtime would choose a label for the program, and where the program is told which it has.
  const script = 'mount | grep volume; echo fake > /proc/self/attr/exec && cat /proc/self/attr/exec'
  const weak = await jail.run(script, { weaken: inFront('pivotRoot', volume('/proc/thread-self/attr', TARGET_PROC)) })
  expect(weak.mounts.map(({ source }) => source)).toContain('volume')
  for (const destination of ['/proc', '/proc/self/attr', '/proc/sys', '/proc/../proc/self', '//proc/self'])
    for (const mount of [
      { destination, type: 'tmpfs' },
      { destination, type: 'bind', source: jail.victim.path },
    ]) {
      const config = { mounts: [...defaultMounts, mount] }
      const answer = await jail.run('true', { config }).then(
        ({ refused }) => refused,
        error => error,
      )
      // Before anything is touched; or, for a bind that might be of a procfs, when it turns out to be none.
      const late = mount.type === 'bind' && destination === '/proc'
      expect(answer, destination).toMatchObject({ code: late ? 'EINVAL' : 'ConfigInvalid' })
    }
  // By a link of the image, which no config shows.
  for (const [link, destination] of [
    ['/proc', '/mnt/volume'],
    ['../proc/self', '/mnt/volume/attr'],
    ['/proc/sys', '/mnt/volume/kernel'],
  ] as const) {
    jail.link(link, 'mnt/volume')
    const config = { mounts: [...defaultMounts, { destination, type: 'tmpfs', source: 'volume' }] }
    const led = await jail.run('true', {
      config,
      weaken: steps =>
        steps.map(step => (step.path === destination ? { ...step, args: step.args.with(6, TARGET_PROC) } : step)),
    })
    expect(led.mounts.find(({ source }) => source === 'volume')?.mountPoint).toContain('/proc')
    const real = await jail.run('true', { config })
    expect(real.refused).toMatchObject({ code: 'EINVAL', path: destination })
    expect(jail.astray(real)).toEqual([])
  }
})

/** A write by its path, as runtimes made it: whatever is there gets it. */
const byPath = (path: string, text: string): Step[] => [
  { op: 'openProcessDirectory', args: [path.slice(0, path.lastIndexOf('/'))], about: 'open by path', into: 'by' },
  {
    op: 'writeProcessFile',
    args: [slot('by'), path.slice(path.lastIndexOf('/') + 1), new TextEncoder().encode(text)],
    about: `write ${path}`,
  },
]

test(
  'CVE-2025-52881 CVE-2025-62596 CVE-2025-65105 writes to /proc: none lands in what is mounted over its file',
  requires('root', 'rootfs', 'program:nsenter'),
  async () => {
    const file = '/proc/sys/net/ipv4/ip_forward'
    const config = { readonlyPaths: [], sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '4321' } }
    jail.file('srv/fake', '0\n')
    const dangerous = '/proc/self/comm'
    const cover = (source: string, on = file): Step => ({
      op: 'bindMount',
      args: [slot('root'), -1, source, on, TARGET_PROC, 0, 0, 0],
      about: `bind ${source} over ${on}`,
    })
    /** What the kernel has, asked from outside, where nothing covers its file. */
    const settings = async (trial: Parameters<Jail['run']>[1]) => {
      let seen = ''
      const tried = await jail.run('exec sleep 100', {
        config,
        ...trial,
        during: pid => {
          seen = execFileSync('nsenter', ['-t', `${pid}`, '-n', '-i', 'cat', file, '/proc/sys/kernel/msgmax'], {
            encoding: 'utf8',
          })
        },
      })
      return tried.refused === undefined ? seen : tried.refused
    }
    expect(await settings({})).toBe('1\n4321\n')
    const fakes = [cover(`${jail.rootfs}/srv/fake`), cover(dangerous)]
    for (const fake of fakes) {
      const weak = replace('writeSysctl', step => byPath(`/proc/sys/${step.args[0]}`, String(step.args[1])))
      expect(await settings({ weaken: all(inFront('pivotRoot', fake), weak) })).toBe('0\n4321\n')
      // The real step, in the same place: it lands, or says that it could not.
      expect(await settings({ weaken: inFront('pivotRoot', fake) })).toBe('1\n4321\n')
    }
    // A file system of the image's in place of all of /proc.
    const whole = inFront('pivotRoot', { ...volume('/proc', TARGET_PROC) })
    expect(await settings({ weaken: whole })).toBe('1\n4321\n')
  },
)

test('CVE-2026-115521 a read-only root, where the image has its own tree at /proc', needs, async () => {
  mkdirSync(`${jail.rootfs}/proc/self/fd`, { recursive: true })
  for (let fd = 0; fd < 32; fd++) jail.link('/mnt', `proc/self/fd/${fd}`)
  const mounts = [
    ...defaultMounts.filter(({ destination }) => destination !== '/proc'),
    { destination: '/mnt', type: 'tmpfs', options: ['ro'] },
    { destination: '/srv', type: 'tmpfs' },
  ]
  const trial = { config: { mounts, readonlyRootfs: true } }
  const script = 'touch /root-is-writable /mnt/late-is-writable 2>/dev/null; touch /srv/x && ls / /mnt'
  const throughProc = replace('setMountAttributes', step =>
    step.path === '/' || step.path === '/mnt'
      ? [{ ...step, args: [AT_FDCWD, `/proc/self/fd/${step.path === '/' ? 7 : 8}`, step.args[2]!, 0] }]
      : [step],
  )
  const weak = await jail.run(script, { ...trial, weaken: throughProc })
  expect(weak.stdout).toContain('root-is-writable')
  jail.remove('root-is-writable')
  const real = await jail.run(script, trial)
  expect(real).toMatchObject({ refused: undefined, code: 0 })
  expect(real.stdout).not.toMatch(/writable/)
  // Where a write to the root is refused for this reason and no other.
  expect((await jail.run(script, { config: { mounts } })).stdout).toContain('root-is-writable')
  jail.remove('root-is-writable')
})
