import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createMount,
  defaultMounts,
  lateReadonlySteps,
  type Mount,
  maskedPathSteps,
  mountSetattr,
  mountSteps,
  moveMount,
  type Propagation,
  pivotSteps,
  prepareRootSteps,
  readonlyPathSteps,
  readonlyRootStep,
  reopenNullStep,
  rootPropagationSteps,
  unmount,
} from '@libcontainer/mount'
import { type Step, setAttribute, slot } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { type Applied, type Applier, at, compileApplier, hostMounts } from './apply.js'
import { type Scratch, scratch } from './rootfs.js'

const EPERM = 1
const ENOENT = 2
const EINVAL = 22
const ENOTDIR = 20
const ENOSPC = 28
const EROFS = 30
const ENOSYS = 38
const ELOOP = 40
const ESTALE = 116

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
})
// MT-45: whatever a test did, the host's mounts are as they were.
afterEach(() => {
  const after = hostMounts(place.path)
  place[Symbol.dispose]()
  expect(after).toEqual(before)
})

const recipe = (steps: readonly Step[], after: readonly Step[] = [], propagation: Propagation = 'rslave'): Step[] => [
  ...prepareRootSteps(place.rootfs, propagation),
  ...steps,
  ...pivotSteps(),
  ...after,
]

/** Applies mounts, and shows what a script then finds. */
const apply = (
  mounts: readonly Mount[],
  script?: string,
  words: readonly string[] = ['pid', 'ipc', 'net'],
  options = {},
): Applied => applier.apply(recipe(mountSteps(mounts, { userns: words.includes('user'), ...options })), words, script)

const inRootfs = (path: string): string => join(place.rootfs, path)
const directory = (path: string, mode = 0o755): string => {
  mkdirSync(inRootfs(path), { recursive: true })
  chmodSync(inRootfs(path), mode)
  return inRootfs(path)
}
const file = (path: string, text = 'text'): string => {
  directory(join(path, '..'))
  writeFileSync(inRootfs(path), text)
  return inRootfs(path)
}

const own = defaultMounts.filter(mount => mount.type !== 'cgroup')
const proc = own[0]!

describe.each([[[]], [['no-setattr']], [['no-openat2']]])('the default mounts, with %j', restricted => {
  const words = ['pid', 'ipc', 'net', ...restricted]
  test('MT-10 MT-11 MT-13 MT-16 MT-34 stand in a pivoted root', requires('root', 'program:gcc'), () => {
    const { failure, mounts, output } = apply(
      own,
      'cat /proc/1/comm; ls /; cat /proc/self/mounts | cat >/sys/x || :',
      words,
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
    expect(at(mounts, '/dev/shm').options).toEqual(['rw', 'nosuid', 'nodev', 'noexec', 'relatime'])
    expect(at(mounts, '/sys').options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime'])
    for (const mount of mounts) expect(mount.shared).toBeUndefined()
    expect(output).toContain('sh\nbin\ndev\nproc\nsys\n')
    expect(output).toContain('Read-only file system')
  })
})

test('in a user namespace they stand too', requires('root', 'program:gcc', 'namespace:user'), () => {
  const mounts = own.map(mount => ({ ...mount, options: mount.options?.filter(option => option !== 'gid=99') }))
  const applied = apply(mounts, 'cat /proc/1/comm; :', ['user', 'pid', 'ipc', 'net'])
  expect(applied.failure).toBeUndefined()
  expect(applied.output).toContain('sh\n')
  expect(at(applied.mounts, '/sys').options).toContain('ro')
})

test(
  'sysfs of a user namespace without a network of its own is the host’s, read-only all over',
  requires('root', 'program:gcc', 'namespace:user'),
  () => {
    const applied = apply(own, 'ls /sys/fs', ['user', 'pid', 'ipc'])
    expect(applied.failure).toBeUndefined()
    const below = applied.mounts.filter(mount => mount.mountPoint === '/sys' || mount.mountPoint.startsWith('/sys/'))
    expect(below.length).toBeGreaterThan(1)
    for (const mount of below) expect(mount.options.slice(0, 4)).toEqual(['ro', 'nosuid', 'nodev', 'noexec'])
  },
)

test(
  'proc of a user namespace in the host’s pid namespace is the host’s',
  requires('root', 'program:gcc', 'namespace:user'),
  () => {
    expect(apply([proc], undefined, ['user']).failure).toMatchObject({ errno: EPERM })
    const applied = apply([proc], 'ls /proc', ['user'], { pidns: false })
    expect(applied.failure).toBeUndefined()
    expect(applied.output.split('\n')).toContain(String(process.pid))
  },
)

describe('MT-18 tmpfs', () => {
  test(
    'has the mode of the directory it covers, unless one is given; else all may write to it',
    requires('root', 'program:gcc'),
    () => {
      directory('odd', 0o1731)
      const { mounts } = apply([
        { destination: '/odd', type: 'tmpfs' },
        { destination: '/new', type: 'tmpfs', options: ['size=64k'] },
        { destination: '/given', type: 'tmpfs', options: ['mode=700'] },
      ])
      expect(at(mounts, '/odd').superOptions).toContain('mode=1731')
      // tmpfs names a mode unless it is 1777, its own choice.
      expect(at(mounts, '/new').superOptions).toContain('size=64k')
      expect(at(mounts, '/new').superOptions.filter(option => option.startsWith('mode='))).toEqual([])
      expect(at(mounts, '/given').superOptions).toContain('mode=700')
    },
  )
  test('MT-26 asked to be read-only, is so at the end', requires('root', 'program:gcc'), () => {
    const mounts: Mount[] = [
      { destination: '/dev', type: 'tmpfs', options: ['ro', 'nosuid'] },
      { destination: '/dev/pts', type: 'devpts', options: ['newinstance'] },
      { destination: '/t', type: 'tmpfs', options: ['ro'] },
    ]
    for (const words of [[], ['no-setattr']]) {
      const applied = applier.apply(recipe(mountSteps(mounts), lateReadonlySteps(mounts)), words, 'touch /dev/x /t/x')
      expect(applied.failure).toBeUndefined()
      expect(at(applied.mounts, '/dev').options.slice(0, 2)).toEqual(['ro', 'nosuid'])
      expect(at(applied.mounts, '/dev/pts').options).toContain('rw')
      expect(applied.output.match(/Read-only file system/g)).toHaveLength(2)
    }
  })
})

describe('MT-19 tmpcopyup', () => {
  const copied: Mount = { destination: '/full', type: 'tmpfs', options: ['tmpcopyup', 'size=1m'] }

  test('the new tmpfs has what it covers, with owners, modes and times', requires('root', 'program:gcc'), () => {
    directory('full', 0o1751)
    directory('full/below', 0o2755)
    const make = `cd ${inRootfs('full')} && echo one > file && echo two > below/other && chown 7:8 . file below && chmod 4711 file &&
      ln -s /etc/passwd link && mkfifo pipe && mknod null c 1 3 && touch -d @1000000000 below/other`
    expect(spawnSync('sh', ['-ec', make], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    const list = `cd /full && stat -c '%n %F %a %u:%g' . file below link pipe null && stat -c '%Y %n' below/other && cat file below/other &&
      readlink link && echo more > file`
    for (const words of [[], ['no-setattr']]) {
      const { failure, output, mounts } = applier.apply(recipe(mountSteps([copied])), words, list)
      expect(failure).toBeUndefined()
      expect(at(mounts, '/full').superOptions).toEqual(expect.arrayContaining(['size=1024k']))
      expect(output.trim().split('\n')).toEqual([
        '. directory 1751 7:8',
        'file regular file 4711 7:8',
        'below directory 2755 7:8',
        'link symbolic link 777 0:0',
        'pipe fifo 644 0:0',
        'null character special file 644 0:0',
        '1000000000 below/other',
        'one',
        'two',
        '/etc/passwd',
      ])
    }
    expect(readFileSync(inRootfs('full/file'), 'utf8')).toBe('one\n')
  })

  test('attributes as large and as many as the kernel takes', requires('root', 'program:gcc'), async () => {
    // On a disk the attributes of a file fit into one block; on a tmpfs each may be as large as it can be.
    const source = await createMount('tmpfs')
    await moveMount(source, directory('full'))
    source.close()
    try {
      const path = file('full/file', '')
      await setAttribute(path, 'trusted.large', 'v'.repeat(65000))
      for (let i = 0; i < 40; i++) await setAttribute(path, `trusted.${i}${'n'.repeat(100)}`, 'v')
      const show = `#include <stdio.h>
#include <sys/xattr.h>
int main(void) {
  static char names[65536], value[65536];
  long size = listxattr("/full/file", names, sizeof(names)), count = 0;
  for (long i = 0; i < size; i++) count += names[i] == 0;
  printf("%ld %ld\\n", count, (long)getxattr("/full/file", "trusted.large", value, sizeof(value)));
}`
      const args = ['-static', '-x', 'c', '-o', inRootfs('bin/show'), '-']
      expect(spawnSync('gcc', args, { input: show, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
      const { failure, output } = apply([copied], '/bin/show')
      expect(failure).toBeUndefined()
      expect(output).toBe('41 65000\n')
    } finally {
      await unmount(inRootfs('full'))
    }
  })

  test('directories deeper than it goes are an error that tells so', requires('root', 'program:gcc'), () => {
    directory(`full/${'d/'.repeat(70)}`)
    const { failure, mounts } = apply([copied])
    expect(failure).toMatchObject({ syscall: 'tmpcopyup', detail: expect.stringContaining('more than 64 deep') })
    expect(mounts.filter(mount => mount.mountPoint === inRootfs('full'))).toEqual([])
  })

  test(
    'what somebody puts in the place of a file that was looked at: neither FIFO nor device is read',
    requires('root', 'program:gcc', 'CAP_MKNOD'),
    () => {
      const program = join(place.path, 'swap')
      const sources = [join(import.meta.dirname, 'swap.c')]
      const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Wno-missing-field-initializers']
      execFileSync('gcc', [...flags, '-o', program, ...sources])
      for (const make of [
        ['mkfifo', 'x'],
        ['mknod', 'x', 'c', '1', '5'],
        ['ln', '-s', '/etc/passwd', 'x'],
      ]) {
        const [from, to, other] = ['from', 'to', 'other'].map(name => directory(`${make[0]}/${name}`)) as [
          string,
          string,
          string,
        ]
        writeFileSync(join(from, 'x'), 'text')
        execFileSync(make[0]!, make.slice(1), { cwd: other })
        const { stdout } = spawnSync(program, [from, to, other], { encoding: 'utf8', timeout: 10_000 })
        expect(stdout).toBe(make[0] === 'ln' ? `openat ${ELOOP}\n` : `openat (no file any more) ${ESTALE}\n`)
        expect(readdirSync(to)).toEqual([])
      }
    },
  )

  test(
    'MT-46 one that is to be read-only in a container that runs is filled before it is seen',
    requires('root', 'program:gcc'),
    () => {
      directory('full')
      file('full/file', 'text')
      const mounts = [{ ...copied, options: [...copied.options!, 'ro'] }]
      const steps = mountSteps(mounts, { live: true })
      const applied = applier.apply(recipe(steps), [], 'cat /full/file; touch /full/x')
      expect(applied.failure).toBeUndefined()
      expect(at(applied.mounts, '/full').options[0]).toBe('ro')
      expect(applied.output).toMatch(/^text.*Read-only file system/s)
      const refused = applier.apply(recipe(steps), ['no-setattr'])
      expect(refused.failure).toMatchObject({ syscall: 'mount_setattr', errno: ENOSYS })
      expect(refused.mounts.filter(mount => mount.mountPoint === inRootfs('full'))).toEqual([])
    },
  )

  test('EV-091 what does not fit leaves no mount behind', requires('root', 'program:gcc'), () => {
    directory('large', 0o755)
    writeFileSync(inRootfs('large/file'), Buffer.alloc(300_000))
    const { failure } = apply([{ ...copied, destination: '/large', options: ['tmpcopyup', 'size=64k'] }])
    expect(failure).toMatchObject({ errno: ENOSPC })
  })
})

describe('MT-46 in a container that runs', () => {
  const live = (mounts: readonly Mount[], words: readonly string[] = [], script?: string): Applied =>
    applier.apply(recipe(mountSteps(mounts, { live: true })), words, script)

  test('a mount has its flags in the one step that makes it, on every kernel', requires('root', 'program:gcc'), () => {
    const tmpfs: Mount = { destination: '/t', type: 'tmpfs', options: ['ro', 'nosuid'] }
    const bind: Mount = { destination: '/b', source: directory('src'), options: ['bind', 'ro', 'nosuid'] }
    expect(mountSteps([tmpfs, bind], { live: true })).toHaveLength(2)
    for (const words of [[], ['no-setattr']]) {
      const { failure, mounts, output } = live([tmpfs], words, 'touch /t/x')
      expect(failure).toBeUndefined()
      expect(at(mounts, '/t').options.slice(0, 2)).toEqual(['ro', 'nosuid'])
      expect(output).toContain('Read-only file system')
    }
    expect(at(live([bind]).mounts, '/b').options.slice(0, 2)).toEqual(['ro', 'nosuid'])
    expect(at(live([{ ...bind, options: ['bind'] }], ['no-setattr']).mounts, '/b').options[0]).toBe('rw')
    // Its own descriptor names a mount that is not attached yet to no call of older kernels.
    const refused = live([bind], ['no-setattr'])
    expect(refused.failure).toMatchObject({ syscall: 'mount_setattr', errno: ENOSYS })
    expect(refused.mounts.filter(mount => mount.mountPoint.endsWith('/b'))).toEqual([])
  })

  test.each([[[]], [['no-setattr']]])(
    'what fails once it is mounted is taken away again, with %j',
    requires('root', 'program:gcc'),
    words => {
      const sources = { directory: directory('src'), file: file('etc/file') }
      const mounts: Mount[] = [
        { destination: '/t', type: 'tmpfs' },
        { destination: '/b', source: sources.directory, options: ['bind'] },
        { destination: '/f', source: sources.file, options: ['bind'] },
      ]
      for (const mount of mounts) {
        const [step] = mountSteps([mount], { live: true })
        // A propagation that there is not.
        const failing = { ...step!, args: [...step!.args.slice(0, -1), 7] }
        const { failure, mounts } = applier.apply([...prepareRootSteps(place.rootfs), failing], words)
        expect(failure).toMatchObject({ step: 2, errno: EINVAL })
        expect(mounts.filter(each => each.mountPoint === inRootfs(mount.destination))).toEqual([])
      }
    },
  )
})

describe('MT-20 binds', () => {
  const source: Mount = { destination: '/src', type: 'tmpfs', options: ['nosuid', 'nodev', 'noatime'] }
  const bind = (options: string[]): string[] => {
    const { failure, mounts } = apply([source, { destination: '/bound', source: inRootfs('src'), options }])
    expect(failure).toBeUndefined()
    return [...at(mounts, '/bound').options]
  }
  test('flags: exactly those named, or else the source’s', requires('root', 'program:gcc'), () => {
    expect(bind(['bind'])).toEqual(['rw', 'nosuid', 'nodev', 'noatime'])
    expect(bind(['rbind', 'rprivate'])).toEqual(['rw', 'nosuid', 'nodev', 'noatime'])
    expect(bind(['bind', 'ro'])).toEqual(['ro', 'noatime'])
    expect(bind(['bind', 'rw'])).toEqual(['rw', 'noatime'])
    expect(bind(['bind', 'noexec', 'relatime'])).toEqual(['rw', 'noexec', 'relatime'])
  })
  test('a file on a file that is made for it, its directories too', requires('root', 'program:gcc'), () => {
    const from = join(place.path, 'from')
    writeFileSync(from, 'the file\n')
    const { failure, output, mounts } = apply(
      [{ destination: '/a/b/c', source: from, options: ['bind', 'ro'] }],
      'cat /a/b/c; echo x >/a/b/c; stat -c %F:%a /a',
    )
    expect(failure).toBeUndefined()
    expect(output).toMatch(/^the file\n/)
    expect(output).toContain('Read-only file system')
    expect(output).toContain('directory:755')
    expect(at(mounts, '/a/b/c').options).toContain('ro')
    expect(readFileSync(inRootfs('a/b/c'), 'utf8')).toBe('')
  })
  test(
    'MT-14 where the mount point is a link to nothing, what it names is made in the root',
    requires('root', 'program:gcc'),
    () => {
      directory('etc')
      symlinkSync('/run/far/away', inRootfs('etc/conf'))
      const from = join(place.path, 'from')
      writeFileSync(from, 'far')
      const { failure, output } = apply([{ destination: '/etc/conf', source: from, type: 'bind' }], 'cat /run/far/away')
      expect(failure).toBeUndefined()
      expect(output).toBe('far')
    },
  )
  test(
    'S29 EV-083 before mount_setattr a directory and a file get their flags by remount, and recursive ones are refused',
    requires('root', 'program:gcc'),
    () => {
      const from = join(place.path, 'from')
      writeFileSync(from, '')
      const mounts: Mount[] = [
        source,
        { destination: '/bound', source: inRootfs('src'), options: ['bind', 'ro', 'nosuid'] },
        { destination: '/file', source: from, options: ['bind', 'ro', 'noexec'] },
        { destination: '/rec', source: inRootfs('src'), options: ['rbind', 'rro'] },
      ]
      const applied = apply(mounts.slice(0, 3), undefined, ['no-setattr'])
      expect(applied.failure).toBeUndefined()
      expect(at(applied.mounts, '/bound').options).toEqual(['ro', 'nosuid', 'noatime'])
      expect(at(applied.mounts, '/file').options.slice(0, 2)).toEqual(['ro', 'noexec'])
      // EV-083: what only mount_setattr can do is refused, never left out.
      expect(apply(mounts, undefined, ['no-setattr']).failure).toMatchObject({
        syscall: 'mount_setattr',
        errno: ENOSYS,
      })
    },
  )
  test('EV-075 EV-076 no source; a file on a directory', requires('root', 'program:gcc'), () => {
    const absent = join(place.path, 'absent')
    expect(apply([{ destination: '/x', source: absent, type: 'bind' }]).failure).toMatchObject({
      syscall: 'open_tree',
      errno: ENOENT,
      detail: absent,
    })
    expect(readdirSync(place.rootfs)).toEqual(['bin'])
    const from = join(place.path, 'from')
    writeFileSync(from, '')
    directory('dir')
    expect(apply([{ destination: '/dir', source: from, type: 'bind' }]).failure).toMatchObject({
      errno: ENOTDIR,
      detail: from,
    })
    expect(apply([{ destination: '/bin/busybox', source: place.path, type: 'bind' }]).failure).toMatchObject({
      errno: ENOTDIR,
    })
  })
  test('MT-07 recursive attributes reach the mounts below', requires('root', 'program:gcc'), () => {
    const { failure, mounts } = apply([
      source,
      { destination: '/src/below', type: 'tmpfs' },
      { destination: '/bound', source: inRootfs('src'), options: ['rbind', 'rro', 'rnoexec'] },
      { destination: '/plain', source: inRootfs('src'), options: ['rbind', 'ro'] },
    ])
    expect(failure).toBeUndefined()
    expect(at(mounts, '/bound').options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime'])
    expect(at(mounts, '/bound/below').options.slice(0, 2)).toEqual(['ro', 'noexec'])
    expect(at(mounts, '/plain/below').options[0]).toBe('rw')
  })
})

test.each([[[]], [['user']], [['no-setattr']]])(
  'S19 a detached tree that the parent made is a source, with %j',
  requires('root', 'program:gcc'),
  async words => {
    const tree = await createMount('tmpfs', { options: ['nosuid', 'mode=755'] })
    try {
      const steps = mountSteps([{ destination: '/t', source: '/from/the/parent', options: ['bind', 'ro', 'nosuid'] }], {
        trees: new Map([[0, 3]]),
      })
      const applied = applier.apply(recipe(steps), words, 'touch /t/x', [tree.fd])
      expect(applied.failure).toBeUndefined()
      expect(at(applied.mounts, '/t').options.slice(0, 2)).toEqual(['ro', 'nosuid'])
      expect(applied.output).toContain('Read-only file system')
    } finally {
      tree.close()
    }
  },
)

test(
  'MT-21 EV-084 locked flags stay unless cleared by name, which is refused',
  requires('root', 'program:gcc', 'namespace:user'),
  async () => {
    const host = join(place.path, 'host')
    mkdirSync(host)
    const tree = await createMount('tmpfs', { options: ['nosuid', 'nodev', 'noexec', 'noatime'] })
    try {
      await moveMount(tree, host)
      const bind = (...options: string[]): Applied =>
        apply([{ destination: '/b', source: host, options }], undefined, ['user'])
      expect(at(bind('bind', 'ro').mounts, '/b').options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime'])
      expect(at(bind('rbind', 'rw').mounts, '/b').options).toEqual(['rw', 'nosuid', 'nodev', 'noexec', 'noatime'])
      for (const word of ['suid', 'dev', 'exec', 'atime', 'strictatime']) {
        expect(bind('bind', word).failure, word).toMatchObject({ syscall: 'mount_setattr', errno: EPERM })
      }
    } finally {
      tree.close()
      await unmount(host)
    }
  },
)

test('MT-22 remount changes a mount that stands', requires('root', 'program:gcc'), () => {
  const mounts: Mount[] = [
    { destination: '/a', type: 'tmpfs', options: ['nosuid', 'size=1m'] },
    { destination: '/b', type: 'tmpfs', options: ['size=1m'] },
    { destination: '/a', options: ['remount', 'bind', 'ro'] },
    { destination: '/b', type: 'tmpfs', options: ['remount', 'size=2m', 'nodev'] },
  ]
  for (const words of [[], ['no-setattr']]) {
    const applied = apply(mounts, undefined, words)
    expect(applied.failure).toBeUndefined()
    expect(at(applied.mounts, '/a').options.slice(0, 2)).toEqual(['ro', 'nosuid'])
    expect(at(applied.mounts, '/b')).toMatchObject({
      options: ['rw', 'nodev', 'relatime'],
      superOptions: expect.arrayContaining(['size=2048k']),
    })
  }
})

test('MT-06 propagation, in order', requires('root', 'program:gcc'), () => {
  const mounts: Mount[] = [
    { destination: '/s', type: 'tmpfs', options: ['private', 'shared'] },
    { destination: '/u', type: 'tmpfs', options: ['shared', 'unbindable'] },
    { destination: '/b', source: inRootfs('s'), options: ['bind', 'rslave'] },
  ]
  for (const words of [[], ['no-setattr']]) {
    const applied = apply(mounts, undefined, words)
    expect(applied.failure).toBeUndefined()
    const group = at(applied.mounts, '/s').shared
    expect(group).toBeGreaterThan(0)
    expect(at(applied.mounts, '/u').unbindable).toBe(true)
    expect(at(applied.mounts, '/b').master).toBe(group)
  }
})

describe('MT-23 MT-24 cgroups', () => {
  const destination = '/sys/fs/cgroup'
  const mount: Mount = { destination, type: 'cgroup', options: ['nosuid', 'nodev', 'noexec', 'ro'] }
  const cgroups = (namespace: boolean, unified = `${destination}/unified`) => ({
    namespace,
    hierarchies: [
      { version: 1 as const, name: 'pids', options: ['pids'], path: `${destination}/pids` },
      { version: 1 as const, name: 'cpu,cpuacct', options: ['cpu'], path: `${destination}/cpu` },
      { version: 1 as const, name: 'systemd', options: ['none', 'name=systemd'], path: `${destination}/systemd` },
      { version: 2 as const, name: 'unified', path: unified },
    ],
  })
  test.each([
    [false, []],
    [true, ['cgroup']],
  ])('hybrid, with a cgroup namespace: %s', requires('root', 'hybrid', 'program:gcc'), (namespace, words) => {
    const applied = apply(
      [mount],
      `cd ${destination}; ls; readlink cpu; readlink cpuacct; touch x; mkdir pids/x systemd/x unified/x; cat pids/cgroup.procs >/cgroup.procs && echo read`,
      words,
      { cgroups: cgroups(namespace) },
    )
    expect(applied.failure).toBeUndefined()
    expect(applied.mounts.slice(1).map(({ mountPoint, type, options }) => [mountPoint, type, options[0]])).toEqual([
      [destination, 'tmpfs', 'ro'],
      [`${destination}/pids`, 'cgroup', 'ro'],
      [`${destination}/cpu,cpuacct`, 'cgroup', 'ro'],
      [`${destination}/systemd`, 'cgroup', 'ro'],
      [`${destination}/unified`, 'cgroup2', 'ro'],
    ])
    expect(applied.output).toContain('cpu\ncpu,cpuacct\ncpuacct\npids\nsystemd\nunified\ncpu,cpuacct\ncpu,cpuacct\n')
    expect(applied.output.match(/Read-only file system/g)).toHaveLength(4)
    expect(applied.output).toContain('read')
    // The host's own hierarchies stay writable: read-only is of the container's mounts alone.
    expect(/^.* \/sys\/fs\/cgroup\/pids (\S+) /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1]).toMatch(/^rw/)
  })
  test(
    'v2 alone: mounted on the place itself; writable unless asked otherwise',
    requires('root', 'cgroup2', 'program:gcc'),
    () => {
      const only = { namespace: true, hierarchies: [{ version: 2 as const, name: '', path: `${destination}/unified` }] }
      const writable = { ...mount, options: ['nosuid'] }
      const applied = apply([writable], undefined, ['cgroup'], { cgroups: only })
      expect(applied.failure).toBeUndefined()
      expect(at(applied.mounts, destination)).toMatchObject({ type: 'cgroup2', options: ['rw', 'nosuid', 'relatime'] })
    },
  )
  test(
    'CVE-2023-25809 an ordinary user’s: bound read-only, and hidden where the host has none',
    requires('root', 'cgroup2', 'program:gcc', 'namespace:user'),
    () => {
      const beside = `${destination}/unified`
      const unified = existsSync(beside) ? beside : destination
      const only = (path: string) => ({ namespace: true, hierarchies: [{ version: 2 as const, name: '', path }] })
      const bound = apply([mount], undefined, ['user'], { cgroups: only(unified) })
      expect(bound.failure).toBeUndefined()
      expect(at(bound.mounts, destination)).toMatchObject({ type: 'cgroup2', options: expect.arrayContaining(['ro']) })
      const hidden = apply([mount], `touch ${destination}/x; ls ${destination}`, ['user'], { cgroups: only('/absent') })
      expect(hidden.failure).toBeUndefined()
      expect(at(hidden.mounts, destination)).toMatchObject({ type: 'tmpfs', options: expect.arrayContaining(['ro']) })
      expect(hidden.output).toContain('Read-only file system')
    },
  )
})

describe('masked and read-only paths', () => {
  const paths = [
    '/proc/version',
    '/proc/absent',
    '/proc/keys',
    '/sys/firmware',
    '/proc/scsi',
    '/sys/fs',
    '/proc/version',
  ]
  test(
    'MT-30 MT-31 MT-32 files become the null device, directories one empty file system',
    requires('root', 'program:gcc'),
    () => {
      const steps = recipe([...mountSteps(own), readonlyRootStep(), ...maskedPathSteps(paths)])
      const applied = applier.apply(
        steps,
        ['pid', 'ipc', 'net'],
        'cat /proc/version; ls -a /sys/firmware /sys/fs; touch /sys/fs/x; stat -c %t:%T /proc/keys; :',
      )
      expect(applied.failure).toBeUndefined()
      expect(applied.output).toContain('/sys/firmware:\n.\n..\n')
      expect(applied.output).toContain('Read-only file system')
      expect(applied.output).toContain('1:3')
      const masks = applied.mounts.filter(mount => mount.type === 'tmpfs' && mount.superOptions[0] === 'ro')
      expect(masks.map(mount => mount.mountPoint)).toEqual(expect.arrayContaining(['/sys/firmware', '/sys/fs']))
      expect(new Set(masks.map(mount => mount.minor)).size).toBe(1)
      for (const mount of masks) expect(mount.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime'])
      expect(applied.mounts.filter(mount => mount.mountPoint === '/proc/version')).toHaveLength(1)
    },
  )
  test('in a user namespace too', requires('root', 'program:gcc', 'namespace:user'), () => {
    const applied = applier.apply(
      recipe([
        ...mountSteps(own, { userns: true }),
        ...maskedPathSteps(paths),
        ...readonlyPathSteps(['/proc/sys', '/proc/absent']),
      ]),
      ['user', 'pid', 'ipc', 'net'],
    )
    expect(applied.failure).toBeUndefined()
    expect(at(applied.mounts, '/proc/sys').options[0]).toBe('ro')
  })
  test.each([[[]], [['no-setattr']], [['no-openat2']]])(
    'MT-33 read-only paths keep the other flags, with %j',
    requires('root', 'program:gcc'),
    restricted => {
      const steps = recipe(
        mountSteps([proc]),
        readonlyPathSteps(['/proc/sys', '/proc/absent', '/proc/uptime', '/proc/sys']),
      )
      const applied = applier.apply(
        steps,
        ['pid', 'net', ...restricted],
        'echo 0 >/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward',
      )
      expect(applied.failure).toBeUndefined()
      expect(applied.output).toContain('Read-only file system')
      for (const path of ['/proc/sys', '/proc/uptime']) {
        expect(at(applied.mounts, path).options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime'])
      }
    },
  )
})

test('MT-38 CVE-2026-115521 a read-only root, whatever the image has at /proc', requires('root', 'program:gcc'), () => {
  file('proc/self/fd/0')
  for (const words of [[], ['no-setattr']]) {
    const applied = applier.apply(
      recipe(mountSteps([{ destination: '/t', type: 'tmpfs' }]), [readonlyRootStep()]),
      words,
      'touch /x; touch /t/x && echo written',
    )
    expect(applied.failure).toBeUndefined()
    expect(at(applied.mounts, '/').options[0]).toBe('ro')
    expect(applied.output).toContain('Read-only file system')
    expect(applied.output).toContain('written')
  }
})

test('MT-37 the new root takes the propagation that others should see', requires('root', 'program:gcc'), () => {
  const shared = applier.apply(recipe([], rootPropagationSteps('shared')))
  expect(at(shared.mounts, '/').shared).toBeGreaterThan(0)
  expect(at(applier.apply(recipe([], rootPropagationSteps('unbindable'))).mounts, '/').unbindable).toBe(true)
})

test.each(['shared', 'private', 'slave'] as const)(
  'MT-45 a root on a %s mount of the host: the host sees none of it',
  requires('root', 'program:gcc'),
  async kind => {
    const host = join(place.path, 'host')
    mkdirSync(host)
    const tree = await createMount('tmpfs')
    try {
      await moveMount(tree, host)
      await mountSetattr(host, { propagation: 'shared' })
      if (kind !== 'shared') await mountSetattr(host, { propagation: kind })
      mkdirSync(join(host, 'rootfs'))
      const seen = hostMounts(place.path)
      for (const propagation of ['rslave', 'rprivate', 'rshared'] as const) {
        const steps = [
          ...prepareRootSteps(join(host, 'rootfs'), propagation),
          ...mountSteps([proc, { destination: '/t', type: 'tmpfs' }]),
          ...pivotSteps(),
        ]
        const applied = applier.apply(steps, ['pid'])
        expect(applied.failure).toBeUndefined()
        expect(applied.mounts.map(mount => mount.mountPoint)).toEqual(['/', '/proc', '/t'])
        expect(hostMounts(place.path)).toEqual(seen)
      }
    } finally {
      tree.close()
      await unmount(host)
    }
  },
)

describe('MT-42 null as a standard stream', () => {
  const null13 = (path: string): void => {
    directory('dev')
    execFileSync('mknod', [inRootfs(path), 'c', '1', '3'])
  }
  test('is the container’s afterwards; others are left alone', requires('root', 'CAP_MKNOD', 'program:gcc'), () => {
    null13('dev/null')
    const steps = recipe(mountSteps([proc]), [reopenNullStep()])
    const applied = applier.apply(
      steps,
      ['pid', 'null'],
      'stat -L -c %d /proc/self/fd/0 /proc/self/fd/2 /bin; stat -L -c %F /proc/self/fd/1',
    )
    expect(applied.failure).toBeUndefined()
    const [input, error, image, output] = applied.output.split('\n')
    expect([input, error]).toEqual([image, image])
    expect(output).toBe('socket')
  })
  test(
    'CVE-2026-88265 an image’s impostor is refused, and needed only where a stream is null',
    requires('root', 'program:gcc'),
    () => {
      file('dev/null', '')
      expect(applier.apply(recipe([], [reopenNullStep()]), ['null']).failure).toMatchObject({
        errno: 19,
        detail: '/dev/null is not the null device (char 1:3)',
      })
      expect(readFileSync(inRootfs('dev/null'), 'utf8')).toBe('')
      expect(applier.apply(recipe([], [reopenNullStep()])).failure).toBeUndefined()
    },
  )
})

describe('what the kernel refuses', () => {
  test('EV-079 an option that the file system does not know, in its own words', requires('root', 'program:gcc'), () => {
    expect(apply([{ destination: '/t', type: 'tmpfs', options: ['frobnicate'] }]).failure).toEqual({
      step: 2,
      syscall: 'fsconfig',
      errno: EINVAL,
      detail: "tmpfs: Unknown parameter 'frobnicate'",
    })
  })
  test('MT-25 a file system that is not there', requires('root', 'program:gcc'), () => {
    expect(apply([{ destination: '/t', type: 'nosuchfs' }]).failure).toMatchObject({
      syscall: 'fsopen',
      errno: 19,
      detail: 'nosuchfs',
    })
  })
  test('EV-090 a missing mount point on a read-only root stays missing', requires('root', 'program:gcc'), () => {
    const steps = [
      ...prepareRootSteps(place.rootfs),
      readonlyRootStep(),
      ...mountSteps([{ destination: '/new', type: 'tmpfs' }]),
    ]
    const applied = applier.apply(steps)
    expect(applied.failure).toMatchObject({ step: 3, syscall: 'mkdirat', errno: EROFS, detail: 'new' })
    expect(readdirSync(place.rootfs)).toEqual(['bin'])
  })
  test('EV-020 EV-022 EV-023 a root that is missing, a link, a file', requires('root', 'program:gcc'), () => {
    const prepare = (path: string) => applier.apply(prepareRootSteps(path)).failure
    symlinkSync(place.rootfs, join(place.path, 'link'))
    expect(prepare(join(place.path, 'absent'))).toMatchObject({ errno: ENOENT })
    expect(prepare(join(place.path, 'link'))).toMatchObject({ errno: 40 })
    expect(prepare(join(place.path, 'link/bin'))).toMatchObject({ errno: 40 })
    expect(prepare(join(place.rootfs, 'bin/busybox'))).toMatchObject({ errno: ENOTDIR })
  })
})

test('the slot of the root is / after the pivot', requires('root', 'program:gcc'), () => {
  const after = mountSteps([{ destination: '/late', type: 'tmpfs' }], { root: slot('root') })
  const applied = applier.apply(recipe([], after), [], 'ls /')
  expect(applied.failure).toBeUndefined()
  expect(applied.mounts.map(mount => mount.mountPoint)).toEqual(['/', '/late'])
})
