import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultMounts, mountSteps, openTree } from '@libcontainer/mount'
import { createInRoot, mkdirAllInRoot, O_CREAT, O_WRONLY, openDirectory, openInRoot, slot } from '@libcontainer/sys'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { compileExchanger, race, requires, type TemporaryDirectory, temporaryDirectory } from '../support/index.js'
import { Jail, type Trial, type Tried, type Weaken } from './jail.js'
import { devpts, withoutDev } from './mounts.js'
import { all, consoleByName, directoryFirst, joined, masksByPath, nullByName, onAnyTarget } from './weaken.js'

const needs = { ...requires('root', 'rootfs', 'program:gcc'), timeout: 120_000 }

/** Containers are started at least so often beside 10,000 exchanges of a path, or as many as it took to catch the weakened plan. */
const STARTS = 20
const EXCHANGES = 10_000
/** A weakened plan that withstands so many is not weak. */
const TOO_MANY = 2_000_000

let jail: Jail
let tools: TemporaryDirectory
let exchanger: string

beforeAll(async () => {
  tools = temporaryDirectory('exchanger-')
  exchanger = compileExchanger(tools.path)
  jail = await Jail.open()
})
afterAll(async () => {
  await jail[Symbol.asyncDispose]()
  tools[Symbol.dispose]()
})
beforeEach(() => {
  for (const name of ['dev', 'proc', 'sys', 'srv', 'mnt']) jail.directory(name)
  jail.victim.restore()
})

const outside = (tried: Tried): string[] => [...jail.astray(tried), ...jail.victim.changes()]

interface Race extends Trial {
  /** What is exchanged with a link. */
  readonly path: string
  /** What the link says. Default: a directory of the host. */
  readonly to?: string
  readonly weaken: Weaken
  readonly script?: string
  /** What shows that it was led astray. Default: mounts and changes outside. */
  readonly caught?: (tried: Tried) => readonly string[]
}

/**
 * The weakened plan is caught; the real one then withstands as many exchanges, and 10,000 at least: it ran to its end, or said what was refused.
 * The process that exchanges is on the host, as that of another container with the same root or volume would be.
 */
async function raced({ path, to = jail.victim.path, weaken, script = 'true', caught = outside, ...trial }: Race) {
  const place = join(jail.rootfs, path)
  jail.link(to, `${path}.other`)
  const pair = [place, `${place}.other`] as const
  const twin = await race(
    exchanger,
    pair,
    async () => caught(await jail.run(script, { ...trial, weaken })).length === 0,
    { times: TOO_MANY, attempts: 1 },
  )
  expect(twin.exchanges, 'the weakened plan is not caught').toBeLessThan(TOO_MANY)
  jail.victim.restore()
  const real = await race(
    exchanger,
    pair,
    async () => {
      const tried = await jail.run(script, trial)
      expect(caught(tried)).toEqual([])
      if (tried.refused !== undefined) expect(tried.refused.code, tried.refused.message).toMatch(/^E[A-Z]+$/)
    },
    { times: Math.max(EXCHANGES, twin.exchanges), attempts: STARTS },
  )
  expect(real.exchanges).toBeGreaterThanOrEqual(twin.exchanges)
  expect(jail.victim.changes()).toEqual([])
}

test('CVE-2021-30465 TS-05 a directory of a volume that is mounted on', needs, async () => {
  mkdirSync(join(jail.rootfs, 'mnt/volume/sub'), { recursive: true })
  const mounts = [...defaultMounts, { destination: '/mnt/volume/sub', type: 'tmpfs' }]
  await raced({ path: 'mnt/volume', config: { mounts }, weaken: joined })
})

test('CVE-2024-45310 TS-05 directories that are made for mounts', needs, async () => {
  mkdirSync(join(jail.rootfs, 'mnt/volume'))
  const mounts = [...defaultMounts, { destination: '/mnt/volume/new/deep', type: 'tmpfs' }]
  await raced({ path: 'mnt/volume', config: { mounts }, weaken: joined, caught: () => jail.victim.changes() })
})

test('CVE-2026-41579 CVE-2026-47766 TS-05 /dev, with nothing mounted on it and with its tmpfs', needs, async () => {
  await raced({ path: 'dev', to: jail.victim.file('sub'), config: { mounts: withoutDev }, weaken: joined })
  jail.directory('dev')
  await raced({ path: 'dev', weaken: joined })
})

test('TS-05 /dev/pts, /sys, the directory of the cgroups', needs, async () => {
  jail.directory('dev/pts')
  await raced({ path: 'dev/pts', config: { mounts: [...withoutDev, devpts] }, weaken: joined })
  await raced({ path: 'sys', weaken: joined })
  jail.directory('sys/fs/cgroup')
  const mounts = defaultMounts.filter(({ type }) => type !== 'sysfs')
  await raced({ path: 'sys/fs/cgroup', config: { mounts }, weaken: joined })
})

test('CVE-2019-19921 TS-05 /proc: what is to be hidden or read-only in it is, wherever it is', needs, async () => {
  jail.directory('srv/inside')
  /** Every procfs of the container's own, with the number of mounts on it; by ids, since paths change while they are listed. */
  const covers = ({ mounts }: Tried): number[] =>
    mounts
      .filter(({ type, root, mountPoint }) => type === 'proc' && root === '/' && mountPoint.startsWith(jail.rootfs))
      .map(({ id }) => mounts.filter(({ parent }) => parent === id).length)
  const [expected = 0] = covers(await jail.run('true'))
  expect(expected).toBeGreaterThan(2)
  const bare = (tried: Tried): string[] =>
    covers(tried)
      .filter(count => count < expected)
      .map(String)
  await raced({ path: 'proc', to: '/srv/inside', weaken: all(onAnyTarget, masksByPath), caught: bare })
})

test('CVE-2025-31133 CVE-2025-62161 TS-05 /dev/null: what is hidden by it', needs, async () => {
  jail.file('srv/masked', 'masked')
  execFileSync('mknod', ['-m', '666', join(jail.rootfs, 'dev/null'), 'c', '1', '3'])
  await raced({
    path: 'dev/null',
    to: jail.victim.file('file'),
    config: { mounts: withoutDev, maskedPaths: ['/srv/masked'] },
    script: 'cat /srv/masked',
    weaken: nullByName,
    caught: ({ stdout }) => (stdout === '' ? [] : [stdout]),
  })
})

test('CVE-2026-88264 CVE-2025-52565 TS-05 /dev/console', needs, async () => {
  jail.file('dev/console', '')
  await raced({
    path: 'dev/console',
    to: jail.victim.file('console'),
    config: { mounts: [...withoutDev, devpts] },
    spec: { terminal: true },
    weaken: consoleByName,
  })
})

test('CVE-2025-24965 TS-05 the working directory, files of the image, and what is to be hidden', needs, async () => {
  mkdirSync(join(jail.rootfs, 'mnt/work'))
  const spec = { cwd: '/mnt/work/deep' }
  await raced({ path: 'mnt/work', spec, weaken: directoryFirst, caught: () => jail.victim.changes() })
  // It is masked wherever it is: neither is anything outside covered, nor is it shown.
  mkdirSync(join(jail.rootfs, 'mnt/hidden/sub'), { recursive: true })
  const config = { maskedPaths: ['/mnt/hidden/sub'], readonlyPaths: ['/mnt/hidden'] }
  await raced({ path: 'mnt/hidden', config, weaken: joined })
})

test('CVE-2018-15664 TS-05 files of a container, by a program on the host', needs, async () => {
  mkdirSync(join(jail.rootfs, 'mnt/files'))
  const place = join(jail.rootfs, 'mnt/files')
  jail.link(jail.victim.path, 'mnt/files.other')
  const pair = [place, `${place}.other`] as const
  const attempt = async (open: () => unknown) => {
    try {
      await open()
    } catch {}
    return jail.victim.changes().length === 0
  }
  const twin = await race(exchanger, pair, () => attempt(() => writeFileSync(`${place}/new`, 'written')), {
    times: TOO_MANY,
    attempts: 1,
  })
  expect(twin.exchanges).toBeLessThan(TOO_MANY)
  jail.victim.restore()
  const close = async (opening: Promise<Disposable>): Promise<void> => (await opening)[Symbol.dispose]()
  const calls = [
    () => close(createInRoot(jail.rootfs, 'mnt/files/new', O_WRONLY | O_CREAT)),
    () => close(mkdirAllInRoot(jail.rootfs, 'mnt/files/a/b')),
    () => close(openInRoot(jail.rootfs, 'mnt/files/file', O_WRONLY)),
  ]
  let turn = 0
  const times = Math.max(EXCHANGES, twin.exchanges)
  await race(exchanger, pair, async () => expect(await attempt(calls[turn++ % calls.length]!)).toBe(true), { times })
  expect(jail.victim.changes()).toEqual([])
})

test('CVE-2024-42472 TS-05 the source of a bind, which the container can exchange', needs, async () => {
  // A directory that an earlier container may write to, and that is bound again.
  const source = jail.victim.file('sub')
  writeFileSync(join(source, 'mine'), 'mine')
  const link = `${source}.other`
  execFileSync('ln', ['-s', '/etc', link])
  const bind = { destination: '/mnt', source, type: 'bind' }
  const config = { mounts: [...defaultMounts, bind] }
  const script = 'test -e /mnt/mine || echo led astray'
  const caught = ({ stdout, refused }: Tried): boolean => refused === undefined && stdout !== ''
  const twin = await race(exchanger, [source, link], async () => !caught(await jail.run(script, { config })), {
    times: TOO_MANY,
    attempts: 1,
  })
  expect(twin.exchanges).toBeLessThan(TOO_MANY)
  // By a descriptor that was taken when nobody exchanged anything: the mount is of that directory, whatever has its name.
  const taken = await openDirectory(source, { handle: true })
  try {
    const byTree: Weaken = steps => {
      const at = steps.findIndex(step => step.op === 'bindMount' && step.path === '/mnt')
      return steps.with(at, mountSteps([bind], { trees: new Map([[0, slot('tree')]]) })[0]!)
    }
    const attempt = async (): Promise<void> => {
      using tree = await openTree(`/proc/self/fd/${taken.fd}`)
      const tried = await jail.run(script, { config, weaken: byTree, handed: { tree: tree.fd } })
      expect([tried.refused, tried.stdout]).toEqual([undefined, ''])
    }
    const times = Math.max(EXCHANGES, twin.exchanges)
    const real = await race(exchanger, [source, link], attempt, { times, attempts: STARTS })
    expect(real.exchanges).toBeGreaterThanOrEqual(twin.exchanges)
  } finally {
    taken.close()
  }
  expect(readFileSync('/etc/passwd', 'utf8')).toMatch(/^root:/)
})
