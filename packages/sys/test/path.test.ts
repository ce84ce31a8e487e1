import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compileExchanger,
  race,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'

let place: TemporaryDirectory
let program: string

beforeAll(() => {
  place = temporaryDirectory('path-')
  program = join(place.path, 'path')
  const native = ['path', 'procfs'].map(name => join(import.meta.dirname, `../native/${name}.c`))
  const flags = [
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fsanitize=undefined',
    '-fno-sanitize-recover',
  ]
  execFileSync('gcc', [...flags, '-static-libubsan', '-o', program, join(import.meta.dirname, 'path.c'), ...native])
})
afterAll(() => place[Symbol.dispose]())

/** What each command answers: the path that was opened, seen from the root, or a negative errno. */
function run(root: string, commands: readonly string[], walk: boolean): string[] {
  const args = walk ? [root, 'no-openat2'] : [root]
  const { stdout, status, stderr } = spawnSync(program, args, { input: `${commands.join('\n')}\n`, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.pop()).toBe('0 left open')
  expect(lines).toHaveLength(commands.length)
  return lines.map(line => (line.startsWith('-') ? line : within(root, line.slice(line.indexOf(' ') + 1))))
}

function within(root: string, path: string): string {
  if (root === '/') return path
  if (path === root) return '/'
  if (path.startsWith(`${root}/`)) return path.slice(root.length)
  throw new Error(`${path} is outside of ${root}`)
}

type Tree = readonly (readonly [path: string, kind: 'directory' | 'file' | { link: string }])[]

let trees = 0
function plant(tree: Tree): string {
  const root = join(place.path, `tree${trees++}`)
  mkdirSync(root)
  for (const [path, kind] of tree) {
    const at = join(root, path)
    try {
      mkdirSync(dirname(at), { recursive: true })
      if (kind === 'directory') mkdirSync(at)
      else if (kind === 'file') writeFileSync(at, '')
      else symlinkSync(kind.link, at)
    } catch {}
  }
  return root
}

/** All names below a root, links with what they say. `recursive` of readdirSync follows links, from Node.js 22 on. */
function listing(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink()) return [`${within(root, path)} ${readlinkSync(path)}`]
      return entry.isDirectory() ? [`${within(root, path)} d`, ...listing(root, path)] : [`${within(root, path)} f`]
    })
    .sort()
}

const name = fc.constantFrom('a', 'b', 'c')
const part = fc.oneof({ weight: 6, arbitrary: name }, fc.constantFrom('.', '..', ''))
const path = fc
  .tuple(fc.constantFrom('', '/'), fc.array(part, { minLength: 1, maxLength: 6 }), fc.constantFrom('', '', '', '/'))
  .map(([start, parts, end]) => start + parts.join('/') + end)
  .filter(text => text !== '')
const planted = fc.array(name, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const tree: fc.Arbitrary<Tree> = fc.array(
  fc.tuple(planted, fc.oneof(fc.constantFrom('directory' as const, 'file' as const), fc.record({ link: path }))),
  { minLength: 2, maxLength: 10 },
)
const acts = ['open', 'read', 'nofollow', 'directory', 'create', 'exclusive', 'mkdir', 'mkfile', 'parent']
const command = fc.tuple(fc.constantFrom(...acts), path).map(([act, text]) => `${act} ${text}`)

test('UT-05 S28 the walk does what openat2 does, and neither leaves the root (property)', {
  ...requires('program:gcc'),
  timeout: 30_000,
}, () => {
  fc.assert(
    fc.property(tree, fc.array(command, { minLength: 5, maxLength: 30 }), (planting, commands) => {
      const [left, right] = [plant(planting), plant(planting)]
      expect(run(right, commands, true)).toEqual(run(left, commands, false))
      expect(listing(right)).toEqual(listing(left))
    }),
    { numRuns: 40 },
  )
})

describe.each([false, true])('UT-05 paths in a root, by the walk: %s', walk => {
  const outside = (): string => join(place.path, 'outside')
  test('links lead nowhere but inside', requires('program:gcc'), () => {
    mkdirSync(outside(), { recursive: true })
    const root = plant([
      ['etc/passwd', 'file'],
      ['absolute', { link: '/etc/passwd' }],
      ['climbing', { link: '../../../../../../etc' }],
      ['host', { link: outside() }],
      ['loop', { link: 'loop' }],
      ['dangling', { link: '/new/place' }],
      ['to-directory', { link: 'etc/' }],
      ['proc-link', { link: '/proc/self/root/etc' }],
    ])
    expect(
      run(
        root,
        [
          'open absolute',
          'open climbing/passwd',
          'nofollow absolute',
          'open host',
          'open loop',
          'open ..',
          'open /../../etc',
        ],
        walk,
      ),
    ).toEqual(['/etc/passwd', '/etc/passwd', '/absolute', '-2', '-40', '/', '/etc'])
    expect(
      run(root, ['mkdir host/sub', 'mkfile dangling', 'parent to-directory/x', 'nofollow to-directory/'], walk),
    ).toEqual([`${outside()}/sub`, '/new/place', '/etc', '/etc'])
    expect(readdirSync(outside())).toEqual([])
    expect(run(root, ['parent /', 'parent a/', 'parent ..', 'parent .', 'open'], walk)).toEqual([
      '-22',
      '-22',
      '-22',
      '-22',
      '-2',
    ])
    expect(existsSync(join(root, 'a'))).toBe(false)
  })
  test('TS-05 a process that exchanges a directory for a link out of the root leads nothing out', {
    ...requires('program:gcc'),
    timeout: 120_000,
  }, async () => {
    const top = plant([
      ['root/swap/file', 'file'],
      ['root/link', { link: '../outside' }],
      ['root/file', 'file'],
      ['outside/file', 'file'],
      ['file', 'file'],
    ])
    const root = join(top, 'root')
    const exchanger = compileExchanger(place.path)
    const answers = new Set<string>()
    const commands = (n: number) =>
      [
        'read swap/file',
        'read swap/../file',
        `mkdir swap/a${n}/b`,
        `mkfile swap/c${n}/d`,
        `exclusive swap/e${n}`,
      ].concat(`parent swap/f${n}/g`)
    let n = 0
    // `run` throws where something outside was opened.
    await race(
      exchanger,
      [join(root, 'swap'), join(root, 'link')],
      () => {
        for (const line of run(root, Array.from({ length: 25 }, () => commands(n++)).flat(), walk))
          answers.add(line.replace(/\d+/, 'N'))
      },
      { attempts: 10 },
    )
    expect(readdirSync(join(top, 'outside'))).toEqual(['file'])
    expect(readdirSync(top).sort()).toEqual(['file', 'outside', 'root'])
    // Both what the directory has and what the link means inside were met.
    expect([...answers].filter(line => line.includes('/aN/b')).map(line => line.split('/')[1])).toEqual(
      expect.arrayContaining(['outside', expect.stringMatching(/swap|link/)]),
    )
  })
  test('TS-05 a directory that is moved out of the root and back leads up to nothing outside', {
    ...requires('program:gcc'),
    timeout: 120_000,
  }, async () => {
    const top = plant([
      ['root/a/b', 'directory'],
      ['root/file', 'file'],
      ['away/b', 'directory'],
      ['file', 'file'],
    ])
    const root = join(top, 'root')
    const answers = new Set<string>()
    await race(
      compileExchanger(place.path),
      [join(root, 'a/b'), join(top, 'away/b')],
      () => {
        for (const line of run(root, new Array(100).fill('read a/b/../../file'), walk)) answers.add(line)
      },
      { attempts: 10 },
    )
    expect(answers).toContain('/file')
    // EXDEV where the kernel has seen the move.
    expect([...answers].filter(answer => answer !== '/file' && answer !== '-18')).toEqual([])
  })
  test('a magic link of procfs is refused; its other links are followed', requires('program:gcc'), () => {
    expect(run('/', ['open /proc/self/root/etc', 'open /proc/self/cwd', 'open /proc/self/fd/0'], walk)).toEqual([
      '-40',
      '-40',
      '-40',
    ])
    expect(run('/', ['open /proc/mounts'], walk)[0]).toMatch(/^\/proc\/\d+\/mounts$/)
  })
  test('names and paths that are too long', requires('program:gcc'), () => {
    const root = plant([])
    const long = `open ${'x'.repeat(256)}`
    const deep = `open ${'./'.repeat(2100)}`
    expect(run(root, [long, deep, `mkdir ${'y'.repeat(255)}`], walk)).toEqual(['-36', '-36', `/${'y'.repeat(255)}`])
  })
  test(
    'UT-06 a procfs of processes alone has nothing else in it',
    requires('root', 'program:gcc', 'kernel:5.8'),
    () => {
      const asked = [
        'self/status',
        'thread-self/attr/current',
        'sys/kernel/hostname',
        'version',
        'sysrq-trigger',
        'keys',
      ]
      expect(
        run(
          '/',
          asked.map(path => `pids ${path}`),
          walk,
        ),
      ).toEqual([
        expect.stringMatching(/\/\d+\/status$/),
        expect.stringMatching(/\/\d+\/task\/\d+\/attr\/current$/),
        ...new Array(4).fill('-2'),
      ])
    },
  )
  test(
    'UT-06 a verified procfs: self, thread-self, nothing by a link, nothing upwards',
    requires('program:gcc'),
    () => {
      const commands = [
        'self/status',
        'thread-self/attr/current',
        'sys/kernel/hostname',
        'self/fd/0',
        'mounts',
        '/self/status',
        '../etc',
        'nothing',
        'selfish',
      ]
      const answers = spawnSync(program, walk ? ['/', 'no-openat2'] : ['/'], {
        input: commands.map(each => `proc ${each}\n`).join(''),
        encoding: 'utf8',
      }).stdout.split('\n')
      expect(answers.slice(0, 3).map(line => line.replace(/^\d+ (?:\/proc)?/, ''))).toEqual([
        expect.stringMatching(/^\/\d+\/status$/),
        expect.stringMatching(/^\/\d+\/task\/\d+\/attr\/current$/),
        '/sys/kernel/hostname',
      ])
      expect(answers.slice(3, 9)).toEqual(['-40', '-40', '-18', '-18', '-2', '-2'])
    },
  )
})
