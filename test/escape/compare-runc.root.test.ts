import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Factory } from '@libcontainer/container'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sections } from '../bundles/bundle.js'
import {
  copyOfBusyboxRootfs,
  hostsOf,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/index.js'
import { compileSurvey, type Facts, factsOf, Surveyed } from './survey.js'
import { weaker } from './weaker.js'

const needs = {
  ...requires('root', 'rootfs', 'program:runc', 'program:script', 'program:taskset', 'program:gcc'),
  timeout: 120_000,
}
const [host] = hostsOf('lcrun').either

/** A row of docs/security.md: a fact, by its name or a part of it and `*`, and what its value has on both sides. */
interface Explained {
  readonly fact: RegExp
  readonly runc: string | undefined
  readonly ours: string | undefined
}

/** The tables of the section, in order. */
const tables: Explained[][] = readFileSync(fileURLToPath(new URL('../../docs/security.md', import.meta.url)), 'utf8')
  .split('## Beside runc')[1]!
  .split('\n| --- | --- | --- | --- |\n')
  .slice(1)
  .map(text =>
    text
      .split('\n\n')[0]!
      .trim()
      .split('\n')
      .map(line => {
        const [fact = '', runc = '', ours = ''] = line
          .split('|')
          .slice(1)
          .map(cell => cell.trim())
        const value = (cell: string): string | undefined => /^`(.*)`$/.exec(cell)?.[1]
        const pattern = value(fact)!
          .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
        return { fact: new RegExp(`^${pattern}$`), runc: value(runc), ours: value(ours) }
      }),
  )
const [lcrunTable, defaultTable] = tables as [Explained[], Explained[]]

let place: TemporaryDirectory
let survey: string
const theirs = new Map<string, Facts>()

beforeAll(() => {
  place = temporaryDirectory('survey-')
  if (!needs.skip) survey = compileSurvey(place.path)
})
afterAll(() => place[Symbol.dispose]())

const has = (value: string | undefined, part: string | undefined): boolean =>
  part === undefined ? value === undefined : value?.includes(part) === true

const explains = (row: Explained, key: string, runc: string | undefined, ours: string | undefined): boolean =>
  row.fact.test(key) && has(runc, row.runc) && has(ours, row.ours)

const used = new Set<Explained>()

test.each(['runc', 'docker'] as const)(
  'an unchanged bundle of %s is no weaker under lcrun, and every difference is explained',
  needs,
  maker => {
    using bundle = new Surveyed(maker, survey)
    const runc = bundle.under(['runc'])
    const ours = bundle.under(host!.command)
    theirs.set(maker, runc)
    // The survey has seen something.
    for (const section of ['status', 'process', 'keyring', 'mounts', 'devices', 'hidden', 'seccomp'])
      expect(
        [...ours.keys()].some(key => key.startsWith(`${section} `)),
        section,
      ).toBe(true)
    expect(ours.size).toBeGreaterThan(500)
    const different = [...new Set([...runc.keys(), ...ours.keys()])].filter(key => runc.get(key) !== ours.get(key))
    const unexplained = different.filter(key => {
      const row = lcrunTable.find(row => explains(row, key, runc.get(key), ours.get(key)))
      if (row !== undefined) used.add(row)
      return row === undefined
    })
    expect(unexplained.map(key => `${key}: ${runc.get(key)} → ${ours.get(key)}`)).toEqual([])
    expect(weaker(runc, ours)).toEqual([])
  },
)

test('every explanation is of something', needs, () => {
  const here = lcrunTable.filter(row => !row.fact.test('mounts /sys/fs/cgroup/unified') || !requires('hybrid').skip)
  // A cgroup of v2 has no directory of hierarchies, and what a kernel lacks needs no mask.
  const asked = requires('cgroup1').skip ? here.filter(row => !/cgroup/.test(row.fact.source)) : here
  expect(asked.filter(row => !used.has(row)).map(row => row.fact.source)).toEqual([])
})

test(
  'a container that was told nothing is weaker than that of runc spec in what the table says alone',
  needs,
  async () => {
    using rootfs = copyOfBusyboxRootfs()
    copyFileSync(survey, join(rootfs.path, 'survey'))
    const factory = await Factory.open(join(place.path, 'state'))
    const container = await factory.create(`survey-${process.pid}`, { rootfs: rootfs.path })
    let text = ''
    try {
      const child = await container.run({
        args: ['/survey'],
        stdio: ['null', 'pipe', 'pipe'],
        env: ['PATH=/bin', 'HOME=/'],
      })
      for await (const chunk of child.stdout!) text += chunk
      await child.wait()
    } finally {
      await container.destroy({ force: true })
    }
    const [runc, ours] = [theirs.get('runc')!, factsOf(sections(text))]
    expect(ours.size).toBeGreaterThan(500)
    const keys = weaker(runc, ours)
    const rows = keys.map(key => defaultTable.find(row => explains(row, key, runc.get(key), ours.get(key))))
    expect(
      keys.filter((_, i) => rows[i] === undefined).map(key => `${key}: ${runc.get(key)} → ${ours.get(key)}`),
    ).toEqual([])
    expect(defaultTable.filter(row => !rows.includes(row)).map(row => row.fact.source)).toEqual([])
  },
)

test('what is weaker is seen', () => {
  const strong = new Map(
    Object.entries({
      'status CapBnd': '0000000000000001',
      'status NoNewPrivs': '1',
      'status Seccomp': '2',
      'process securebits': '3',
      'keyring keys in it': '0',
      'mounts /': 'ro,relatime - ext4 /dev/vda rw',
      'mounts /proc': 'rw,nosuid,nodev,noexec - proc proc rw',
      'hidden /proc/keys': 'empty, takes nothing',
      'devices /dev/null': 'c 1:3 666 0:0, opens',
      'devices making mem': 'Operation not permitted',
      'descriptors 0': 'a stream',
      'seccomp call 165': 'EPERM',
      'seccomp call 0': 'EBADF',
    }),
  )
  expect(weaker(strong, strong)).toEqual([])
  const weak: Record<string, string> = {
    'status CapBnd': '0000000000000003',
    'status NoNewPrivs': '0',
    'status Seccomp': '0',
    'process securebits': '0',
    'keyring keys in it': '1',
    'mounts /': 'rw,relatime - ext4 /dev/vda rw',
    'mounts /proc': 'rw,nosuid,nodev - proc proc rw',
    'hidden /proc/keys': 'tells, takes nothing',
    'devices making mem': 'made, opens',
    'devices /dev/mem': 'c 1:1 600 0:0, opens',
    'descriptors 3': 'other',
    'mounts /host': 'rw,relatime - ext4 /dev/vda rw',
    'seccomp call 165': 'EFAULT',
  }
  for (const [key, value] of Object.entries(weak))
    expect(weaker(strong, new Map([...strong, [key, value]]))).toEqual([key])
  expect(weaker(strong, new Map([...strong, ['seccomp call 0', 'EPERM']]))).toEqual([])
})
