import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  defaultMounts,
  lateReadonlySteps,
  type Mount,
  maskedPathSteps,
  mountSteps,
  pivotSteps,
  prepareRootSteps,
  readonlyPathSteps,
} from '@libcontainer/mount'
import type { Step } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { type Applied, type Applier, at, compileApplier, hostMounts } from './apply.js'
import { type Scratch, scratch } from './rootfs.js'

const EINVAL = 22
const ENOTDIR = 20
const ELOOP = 40

let applier: Applier
let place: Scratch
let before: string[]
let victim: string

beforeAll(() => {
  applier = compileApplier()
})
afterAll(() => applier[Symbol.dispose]())
beforeEach(() => {
  place = scratch()
  before = hostMounts(place.path)
  victim = join(place.path, 'victim')
  mkdirSync(join(victim, 'pts'), { recursive: true })
  writeFileSync(join(victim, 'ptmx'), 'a file of the host')
})
afterEach(() => {
  const left = [...readdirSync(victim), ...readdirSync(join(victim, 'pts'))]
  const mounts = hostMounts(place.path)
  const text = readFileSync(join(victim, 'ptmx'), 'utf8')
  place[Symbol.dispose]()
  // Nothing of the host was touched.
  expect(left).toEqual(['ptmx', 'pts'])
  expect(text).toBe('a file of the host')
  expect(mounts).toEqual(before)
})

const inRootfs = (path: string): string => join(place.rootfs, path)
const link = (text: string, path: string): void => {
  mkdirSync(inRootfs(join(path, '..')), { recursive: true })
  symlinkSync(text, inRootfs(path))
}

/** Each with a source by which it is found again. */
const own = defaultMounts
  .filter(mount => mount.type !== 'cgroup')
  .map(mount => ({ ...mount, source: `${mount.type}:${mount.destination}` }))
const words = ['pid', 'ipc', 'net']
const recipe = (...steps: Step[]): Step[] => [...prepareRootSteps(place.rootfs), ...steps]
const apply = (mounts: readonly Mount[], restricted: string[] = []): Applied =>
  applier.apply(recipe(...mountSteps(mounts)), [...words, ...restricted])

/** Every mount of the container that is not the host's own: by what the test called it. */
const places = (applied: Applied, source: string): string[] =>
  applied.mounts.filter(mount => mount.source === source).map(mount => mount.mountPoint)

describe.each([
  ['openat2', []],
  ['the walk by component', ['no-openat2']],
] as const)('links of an image, by %s', (_, restricted) => {
  const absolute = (): string => victim
  const climbing = (): string => `../../../../../../../../..${victim}`
  const beside = (): string => relative(place.rootfs, victim)

  test.each([
    ['absolute', absolute],
    ['climbing', climbing],
    ['beside', beside],
  ] as const)(
    'CVE-2015-3629 CVE-2019-18837 CVE-2026-41579 CVE-2026-47766 MT-14 /dev as an %s link stays inside',
    requires('root', 'program:gcc'),
    (_, text) => {
      link(text(), 'dev')
      // The attack is one: whoever joins strings lands in the host's directory.
      expect(readdirSync(inRootfs('dev'))).toEqual(['ptmx', 'pts'])
      const applied = apply(own, [...restricted])
      expect(applied.failure).toBeUndefined()
      const [dev] = places(applied, 'tmpfs:/dev')
      expect(dev?.startsWith(`${place.rootfs}/`)).toBe(true)
      expect(places(applied, 'devpts:/dev/pts').at(-1)).toBe(join(dev!, 'pts'))
    },
  )

  test.each(own.filter(mount => mount.destination.startsWith('/dev/')).map(mount => mount.destination))(
    'MT-14 %s as a link stays inside',
    requires('root', 'program:gcc'),
    destination => {
      link(victim, destination)
      const mounts = own.filter(mount => mount.destination === destination)
      const applied = apply(mounts, [...restricted])
      expect(applied.failure).toBeUndefined()
      expect(applied.mounts.at(-1)?.mountPoint).toBe(join(place.rootfs, victim))
    },
  )

  test('MT-14 a bind on a link to a file of the host makes its own file', requires('root', 'program:gcc'), () => {
    link(join(victim, 'ptmx'), 'etc/resolv.conf')
    const source = join(place.path, 'source')
    writeFileSync(source, '')
    const applied = apply([{ destination: '/etc/resolv.conf', source, type: 'bind' }], [...restricted])
    expect(applied.failure).toBeUndefined()
    expect(applied.mounts.at(-1)?.mountPoint).toBe(join(place.rootfs, victim, 'ptmx'))
  })

  test.each(['proc', 'sys'])(
    'CVE-2019-19921 CVE-2023-27561 CVE-2023-28642 CVE-2025-54867 EV-028 MT-16 /%s as a link is refused',
    requires('root', 'program:gcc'),
    name => {
      mkdirSync(inRootfs('elsewhere'))
      link('elsewhere', name)
      const applied = apply(own, [...restricted])
      expect(applied.failure).toMatchObject({ errno: ENOTDIR, detail: 'it must be mounted on an ordinary directory' })
      expect(readdirSync(inRootfs('elsewhere'))).toEqual([])
    },
  )

  test('EV-071 a link to the root is not mounted on', requires('root', 'program:gcc'), () => {
    link('/', 'root')
    link('../../..', 'up')
    for (const destination of ['/root', '/up', '/root/root/up']) {
      expect(apply([{ destination, type: 'tmpfs' }], [...restricted]).failure).toMatchObject({
        errno: EINVAL,
        detail: 'it leads to the root directory itself',
      })
    }
  })

  test('a circle of links', requires('root', 'program:gcc'), () => {
    link('circle', 'circle')
    expect(apply([{ destination: '/circle/x', type: 'tmpfs' }], [...restricted]).failure).toMatchObject({
      errno: ELOOP,
    })
  })

  test('CVE-2019-16884 EV-073 no link of the image leads a volume over /proc', requires('root', 'program:gcc'), () => {
    link('/proc', 'volume')
    link('/proc/self', 'self')
    for (const destination of ['/volume', '/volume/self/attr', '/self/attr', '/volume/sys']) {
      const applied = apply([own[0]!, { destination, type: 'tmpfs' }], [...restricted])
      expect(applied.failure, destination).toMatchObject({
        errno: EINVAL,
        detail: 'it leads into /proc, which nothing may cover',
      })
    }
  })

  test('masks stay inside too', requires('root', 'program:gcc'), () => {
    link(victim, 'masked')
    link(join(victim, 'ptmx'), 'readonly')
    const steps = recipe(...maskedPathSteps(['/masked']), ...readonlyPathSteps(['/readonly']), ...pivotSteps())
    const applied = applier.apply(steps, [...words, ...restricted])
    expect(applied.failure).toBeUndefined()
    expect(applied.mounts).toHaveLength(1)
  })
})

test('EV-074 on /proc only a proc is bound', requires('root', 'program:gcc'), () => {
  const applied = apply([{ destination: '/proc', source: victim, type: 'bind' }])
  expect(applied.failure).toMatchObject({ errno: EINVAL, detail: 'only a proc file system may be bound on /proc' })
  expect(apply([{ destination: '/proc', source: '/proc', options: ['rbind'] }]).failure).toBeUndefined()
})

test('EV-073 files of /proc that a container may have its own of', requires('root', 'program:gcc'), () => {
  const source = join(place.path, 'uptime')
  writeFileSync(source, '1 1\n')
  const mounts = [own[0]!, { destination: '/proc/uptime', source, type: 'bind' }]
  const applied = applier.apply([...recipe(...mountSteps(mounts)), ...pivotSteps()], words, 'cat /proc/uptime')
  expect(applied.failure).toBeUndefined()
  expect(applied.output).toBe('1 1\n')
})

describe('CVE-2025-31133 CVE-2025-62161 an impostor at /dev/null', () => {
  const impostors: Record<string, () => void> = {
    'a link into /proc': () => link('/proc/sysrq-trigger', 'dev/null'),
    'a link to a file of the host': () => link(join(victim, 'ptmx'), 'dev/null'),
    'a file': () => {
      mkdirSync(inRootfs('dev'))
      writeFileSync(inRootfs('dev/null'), '')
    },
    'a directory': () => mkdirSync(inRootfs('dev/null'), { recursive: true }),
  }
  test.each(Object.keys(impostors))('%s masks nothing', requires('root', 'program:gcc'), name => {
    impostors[name]!()
    const steps = recipe(...mountSteps([own[0]!]), ...maskedPathSteps(['/proc/keys']), ...pivotSteps())
    const applied = applier.apply(steps, words)
    // Refused, or (where the link leads to nothing in the root) masked by the host's own.
    if (applied.failure === undefined) {
      expect(name).toMatch(/link/)
      expect(at(applied.mounts, '/proc/keys').root).toBe('/null')
    } else expect(applied.failure).toMatchObject({ errno: 19, detail: '/dev/null is not the null device (char 1:3)' })
  })
})

/** Runs `during` while another process swaps a directory for links, over and over; answers how often it did. */
async function racing<T>(
  path: string,
  links: readonly string[],
  during: () => T,
): Promise<{ result: T; swaps: number }> {
  const program = join(place.path, 'racer')
  execFileSync('gcc', ['-O1', '-D_GNU_SOURCE', '-o', program, join(import.meta.dirname, 'racer.c')])
  const racer = spawn(program, [path, ...links], { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  racer.stdout.setEncoding('utf8').on('data', text => {
    printed += text
  })
  try {
    await once(racer.stdout, 'data')
    const result = during()
    racer.stdin.end()
    await once(racer, 'close')
    return { result, swaps: Number(printed.split('\n')[1]) }
  } finally {
    racer.kill('SIGKILL')
  }
}

describe('CVE-2021-30465 CVE-2024-45310 MT-15 a directory swapped for a link while it is mounted on', () => {
  test.each([[[]], [['no-openat2']]])(
    'never leads a mount or a mkdir outside, with %j',
    { ...requires('root', 'program:gcc'), timeout: 60_000 },
    async restricted => {
      mkdirSync(inRootfs('volume/dir/pts'), { recursive: true })
      chmodSync(inRootfs('volume'), 0o777)
      const mount = mountSteps([{ destination: '/volume/dir/pts', type: 'tmpfs', source: 'raced' }])[0]!
      const make = mountSteps([{ destination: '/volume/dir/made/deep', type: 'tmpfs', source: 'raced' }])[0]!
      const skip = {
        ENOENT: 'skip',
        ENOTDIR: 'skip',
        ELOOP: 'skip',
        ESTALE: 'skip',
        EINVAL: 'skip',
        EEXIST: 'skip',
      } as const
      const steps = Array.from({ length: 600 }, (_, i) => ({ ...(i % 2 ? mount : make), onError: skip }))
      const { result, swaps } = await racing(
        inRootfs('volume/dir'),
        [victim, '/proc', `../../../../../../../..${victim}`],
        () => applier.apply(recipe(...mountSteps([own[0]!]), ...steps), [...words, ...restricted]),
      )
      expect(result.failure).toBeUndefined()
      expect(swaps).toBeGreaterThan(100)
      const made = places(result, 'raced')
      expect(made.length).toBeGreaterThan(0)
      for (const path of made)
        expect(path.startsWith(`${place.rootfs}/`) && !path.startsWith(join(place.rootfs, 'proc')), path).toBe(true)
    },
  )
})

test('late read-only mounts do not follow a link put in their place', requires('root', 'program:gcc'), () => {
  link('/t', 'dev')
  const mounts: Mount[] = [
    { destination: '/t', type: 'tmpfs', options: ['ro'] },
    { destination: '/dev', type: 'tmpfs', options: ['ro'] },
  ]
  const applied = applier.apply(
    [...recipe(...mountSteps(mounts)), ...lateReadonlySteps(mounts), ...pivotSteps()],
    words,
  )
  expect(applied.failure).toBeUndefined()
  // Both were mounted on /t, and what is seen there is read-only.
  expect(at(applied.mounts, '/t').options[0]).toBe('ro')
})
