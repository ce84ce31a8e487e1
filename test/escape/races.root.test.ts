import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultMounts } from '@libcontainer/mount'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { compileExchanger, race, requires, type TemporaryDirectory, temporaryDirectory } from '../support/index.js'
import { Jail, type Trial, type Tried, type Weaken } from './jail.js'
import { devpts, withoutDev } from './mounts.js'
import { all, joined, masksByPath, onAnyTarget } from './weaken.js'

const needs = { ...requires('root', 'rootfs', 'program:gcc'), timeout: 120_000 }

/** Containers are started at least so often beside 10,000 exchanges of a path, or as many as it took to catch the weakened plan. */
const STARTS = 20
const EXCHANGES = 10_000
/** A weakened plan that withstands so many is not weak. */
const TOO_MANY = 500_000

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
