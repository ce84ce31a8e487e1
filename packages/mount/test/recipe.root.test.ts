import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultMounts,
  lateReadonlySteps,
  type Mount,
  type MountInfo,
  maskedPathSteps,
  mountSteps,
  type Propagation,
  pivotSteps,
  prepareRootSteps,
  propagationStep,
  readonlyPathSteps,
  readonlyRootStep,
  reopenNullStep,
} from '@libcontainer/mount'
import { type Step, slot } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Applier, compileApplier } from './apply.js'
import { type Scratch, scratch } from './rootfs.js'

const root = process.getuid?.() === 0
let applier: Applier
let place: Scratch
let before: string

beforeAll(() => {
  applier = compileApplier()
})
afterAll(() => applier.close())
beforeEach(() => {
  before = readFileSync('/proc/self/mountinfo', 'utf8')
  place = scratch('recipe')
})
// MT-45: whatever a test did, the host's mounts are as they were.
afterEach(() => {
  place.close()
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
})

const recipe = (mounts: readonly Mount[], after: Step[] = [], options = {}): Step[] => [
  propagationStep('rslave'),
  ...prepareRootSteps(place.rootfs),
  ...mountSteps(mounts, options),
  ...after,
  ...pivotSteps(),
]

const at = (mounts: readonly MountInfo[], path: string): MountInfo => {
  const found = mounts.filter(mount => mount.mountPoint === path).at(-1)
  if (found === undefined) throw new Error(`nothing is mounted on ${path}: ${mounts.map(mount => mount.mountPoint)}`)
  return found
}

const withoutCgroups = defaultMounts.filter(mount => mount.type !== 'cgroup')

describe.runIf(root)('the recipe on the kernel', () => {
  test('MT-10 MT-11 MT-13 MT-34 the default mounts stand in a pivoted root', () => {
    const { failure, mounts, output } = applier.apply(
      recipe(withoutCgroups),
      ['pid', 'ipc', 'net'],
      'cat /proc/1/comm; ls /; ls /sys/class >/dev/pts/x 2>/dev/null || echo no write',
    )
    expect(failure).toBeUndefined()
    expect(mounts.map(mount => [mount.mountPoint, mount.type])).toEqual([
      ['/', at(mounts, '/').type],
      ['/proc', 'proc'],
      ['/dev', 'tmpfs'],
      ['/dev/pts', 'devpts'],
      ['/dev/shm', 'tmpfs'],
      ['/dev/mqueue', 'mqueue'],
      ['/sys', 'sysfs'],
    ])
    expect(at(mounts, '/proc').options).toEqual(['rw', 'nosuid', 'nodev', 'noexec', 'relatime'])
    expect(at(mounts, '/dev').options).toEqual(['rw', 'nosuid'])
    expect(at(mounts, '/dev').superOptions).toEqual(expect.arrayContaining(['size=65536k', 'mode=755']))
    expect(at(mounts, '/dev/pts').superOptions).toEqual(expect.arrayContaining(['gid=5', 'mode=620', 'ptmxmode=666']))
    expect(at(mounts, '/dev/shm').options).toContain('noexec')
    expect(at(mounts, '/sys').options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime'])
    for (const mount of mounts) expect(mount.shared).toBeUndefined()
    expect(output).toContain('sh\nbin\ndev\nproc\nsys\n')
    expect(output).toContain('no write')
  })
})
