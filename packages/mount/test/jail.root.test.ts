import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import {
  createMount,
  defaultMounts,
  type Mount,
  maskedPathSteps,
  mountSetattr,
  mountSteps,
  moveMount,
  moveRootSteps,
  type Propagation,
  pivotSteps,
  prepareRootSteps,
  readonlyRootStep,
  rootPropagationSteps,
  unmount,
} from '@libcontainer/mount'
import type { Step } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { type Applier, at, compileApplier, hostMounts } from './apply.js'
import { type Scratch, scratch } from './rootfs.js'

let applier: Applier
let place: Scratch
let before: string[]

beforeAll(() => {
  applier = compileApplier()
})
afterAll(() => applier[Symbol.dispose]())
beforeEach(() => {
  place = scratch()
  before = hostMounts(place.path)
  for (const applet of ['unshare', 'chroot', 'umount']) symlinkSync('busybox', join(place.rootfs, 'bin', applet))
})
// MT-45: whatever a test did, the host's mounts are as they were.
afterEach(() => {
  const after = hostMounts(place.path)
  place[Symbol.dispose]()
  expect(after).toEqual(before)
})

const needs = requires('root', 'program:gcc')
const mounts: Mount[] = [...defaultMounts.filter(({ destination }) => ['/proc', '/sys'].includes(destination))]

const recipe = (jail: readonly Step[], propagation: Propagation = 'rslave', after: readonly Step[] = []): Step[] => [
  ...prepareRootSteps(place.rootfs, propagation),
  ...mountSteps(mounts, { userns: true }),
  ...maskedPathSteps(['/proc/cmdline', '/proc/sys', '/sys/kernel']),
  ...jail,
  ...after,
]

describe('MT-35 a root that is moved', () => {
  test.each(['rslave', 'slave', 'rshared'] as const)(
    'stands on top, and the host sees nothing of it: %s',
    needs,
    propagation => {
      const script = 'ls /; cat /proc/1/comm'
      const after = [readonlyRootStep(), ...rootPropagationSteps(propagation)]
      const applied = applier.apply(recipe(moveRootSteps(), propagation), ['pid', 'net', 'ipc'], script)
      expect(applied.failure).toBeUndefined()
      expect(applied.output).toContain('bin\nproc\nsys\n')
      expect(applied.mounts.map(({ mountPoint }) => mountPoint)).toEqual(
        expect.arrayContaining(['/', '/proc', '/sys', '/proc/sys']),
      )
      expect(existsSync('/proc/self/fd')).toBe(true)
      const readonly = applier.apply(recipe(moveRootSteps(), propagation, after), ['pid'], 'touch /x')
      expect(readonly.output).toContain('Read-only file system')
    },
  )

  // The kernel lets a user namespace mount a proc where it sees a whole one: that of the host, unless it is gone.
  const attack = 'unshare -r -m -p -f sh -c "mount -t proc none /sys && ls /sys/sys/kernel"; echo $?'
  const attackSys = 'unshare -r -m -n sh -c "mount -t sysfs none /proc && ls /proc/kernel"; echo $?'

  test(
    'leaves no proc and no sysfs by which a user namespace gets one without masks',
    together(needs, requires('namespace:user')),
    () => {
      for (const script of [attack, attackSys]) {
        const { failure, output } = applier.apply(recipe(moveRootSteps()), ['pid', 'net', 'ipc'], script)
        expect(failure).toBeUndefined()
        expect(output).toMatch(/^[1-9]\d*\n.*(Operation not permitted|permission denied)/i)
      }
    },
  )

  test(
    'nor one that lay hidden below its place; one that nothing reaches is an error',
    together(needs, requires('namespace:user')),
    () => {
      const hidden = join(place.rootfs, 'hidden')
      mkdirSync(hidden)
      execFileSync('mount', ['-t', 'proc', 'proc', hidden])
      try {
        const { failure, output, mounts: seen } = applier.apply(recipe(moveRootSteps()), ['pid', 'net', 'ipc'], attack)
        expect(failure).toBeUndefined()
        // It came along with the root, where it is the config's, as it is for every root.
        expect(seen.map(({ mountPoint }) => mountPoint)).toContain('/hidden')
        expect(output).not.toContain('Operation not permitted')
      } finally {
        execFileSync('umount', [hidden])
      }
      const parent = join(place.path, 'parent')
      mkdirSync(join(parent, 'proc'), { recursive: true })
      execFileSync('mount', ['-t', 'proc', 'proc', join(parent, 'proc')])
      try {
        execFileSync('mount', ['-t', 'tmpfs', 'none', parent])
        try {
          expect(applier.apply(recipe(moveRootSteps()), ['pid']).failure).toMatchObject({
            syscall: expect.stringMatching(/open|umount2/),
            detail: join(parent, 'proc'),
          })
        } finally {
          execFileSync('umount', [parent])
        }
      } finally {
        execFileSync('umount', [join(parent, 'proc')])
      }
    },
  )

  test('in a user namespace what is locked is covered', together(needs, requires('namespace:user')), () => {
    const script = 'cat /proc/1/comm; umount -l / 2>&1; ls /proc 2>&1'
    const applied = applier.apply(recipe(moveRootSteps()), ['user', 'pid', 'net', 'ipc'], script)
    expect(applied.failure).toBeUndefined()
    expect(applied.output).toContain('sh\n')
    expect(at(applied.mounts, '/proc').type).toBe('proc')
  })
})

describe('MT-34 by a directory of the new root', () => {
  test('the old root stands in it for a moment, and nothing is left', needs, () => {
    mkdirSync(join(place.rootfs, 'tmp'))
    for (const directory of ['/tmp', '/', '/tmp/']) {
      const applied = applier.apply(
        recipe(pivotSteps(undefined, { directory })),
        ['pid'],
        'ls -a /tmp; cat /proc/1/comm; :',
      )
      expect([directory, applied.failure]).toEqual([directory, undefined])
      expect(applied.output).toBe('.\n..\nsh\n')
      expect(applied.mounts.map(({ mountPoint }) => mountPoint)).toContain('/')
      expect(readdirSync(place.rootfs).filter(name => name.startsWith('.'))).toEqual([])
    }
  })

  test('EV-027 one that is missing, not writable, or leads elsewhere is named', needs, async () => {
    const fails = (directory: string) => applier.apply(recipe(pivotSteps(undefined, { directory })), ['pid']).failure
    expect(fails('/absent')).toMatchObject({ syscall: 'openat2', errno: 2, detail: '/absent' })
    const readonly = join(place.rootfs, 'readonly')
    mkdirSync(readonly)
    const tree = await createMount('tmpfs', { options: ['ro'] })
    try {
      await moveMount(tree, readonly)
      await mountSetattr(readonly, { propagation: 'private' })
      expect(fails('/readonly')).toMatchObject({ syscall: 'mkdirat', errno: 30, detail: '/readonly' })
    } finally {
      tree.close()
      await unmount(readonly)
    }
    // Taken inside the root, as every path of an image is; the kernel has its own word about the rest.
    symlinkSync('/tmp', join(place.rootfs, 'out'))
    expect(fails('/out')).toMatchObject({ errno: 2 })
  })
})
