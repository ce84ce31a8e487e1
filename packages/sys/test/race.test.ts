import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  createInRoot,
  mkdirAllInRoot,
  O_CREAT,
  O_PATH,
  O_WRONLY,
  type OwnedFd,
  openFile,
  openInRoot,
  readFd,
  readLink,
  reopen,
  secureJoin,
  stat,
  symlinkInRoot,
  unlinkInRoot,
  verifyInode,
} from '@libcontainer/sys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compileExchanger,
  race,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'

/*
 * A process gives a directory of the root, and a link that leads out of it, each other's name all the time. Every race is run twice: by
 * the function, after which nothing outside may have changed or been seen, and by its weakened twin, which finds out where the path leads
 * and then goes there by name. A twin that is not caught would prove that the race is none.
 */

let place: TemporaryDirectory
let exchanger: string
let top: string
let root: string

beforeAll(() => {
  place = temporaryDirectory('race-')
  exchanger = compileExchanger(place.path)
})
afterAll(() => place[Symbol.dispose]())

/** A root with a directory and a link to the host's beside it, whose files have the same names. */
function plant(): void {
  top = join(place.path, 'top')
  root = join(top, 'root')
  rmSync(top, { recursive: true, force: true })
  mkdirSync(join(root, 'swap'), { recursive: true })
  mkdirSync(join(top, 'outside'))
  for (const [directory, text] of [
    ['root/swap', 'inside'],
    ['outside', 'of the host'],
  ])
    writeFileSync(join(top, directory!, 'file'), text!)
  symlinkSync('../outside', join(root, 'link'))
}

async function text(opening: Promise<OwnedFd>): Promise<string> {
  using file = await opening
  const buffer = new Uint8Array(100)
  return new TextDecoder().decode(buffer.subarray(0, await readFd(file.fd, buffer)))
}

const close = async (opening: Promise<OwnedFd>): Promise<void> => (await opening).close()
/** By name, after a look at where the name leads. */
const joined = (path: string): Promise<string> => secureJoin(root, path)
const outside = (): string[] => readdirSync(join(top, 'outside'))

interface Race {
  readonly what: string
  /** What the function answers, or its weakened twin; `n` counts. */
  safe(n: number): Promise<unknown>
  weak(n: number): Promise<unknown>
  /** Whether the host was changed or seen. Default: whether `of the host` is the answer. */
  harmed?(): boolean
  /** What changes names. Default: `swap` and `link`. */
  readonly pair?: readonly [string, string]
  prepare?(): void
}

/** What a link leads to is not there in the root, what a former attempt has made is, and what was moved out is refused. */
const expected = new Set(['ENOENT', 'EEXIST', 'EXDEV', 'UnexpectedInode'])

const races: Race[] = [
  {
    what: 'CVE-2018-15664 openInRoot',
    safe: () => text(openInRoot(root, 'swap/file')),
    weak: async () => text(openFile(await joined('swap/file'))),
  },
  {
    what: 'openInRoot, up from a directory that is moved out',
    pair: ['root/a/b', 'away/b'],
    prepare() {
      for (const directory of ['root/a/b', 'away/b']) mkdirSync(join(top, directory), { recursive: true })
      writeFileSync(join(root, 'file'), 'inside')
      writeFileSync(join(top, 'file'), 'of the host')
    },
    safe: () => text(openInRoot(root, 'a/b/../../file')),
    async weak() {
      using moved = await openInRoot(root, 'a/b', O_PATH)
      return await text(openFile('../../file', 0, 0, { at: moved }))
    },
  },
  {
    what: 'CVE-2025-24965 createInRoot',
    safe: n => close(createInRoot(root, `swap/new${n}`)),
    weak: async n => close(openFile(await joined(`swap/new${n}`), O_WRONLY | O_CREAT)),
    harmed: () => outside().length > 1,
  },
  {
    what: 'CVE-2024-45310 mkdirAllInRoot',
    safe: n => close(mkdirAllInRoot(root, `swap/new${n}/below`)),
    weak: async n => void mkdirSync(await joined(`swap/new${n}/below`), { recursive: true }),
    harmed: () => outside().length > 1,
  },
  {
    what: 'symlinkInRoot',
    safe: n => symlinkInRoot(root, 'target', `swap/new${n}`),
    weak: async n => symlinkSync('target', await joined(`swap/new${n}`)),
    harmed: () => outside().length > 1,
  },
  {
    what: 'unlinkInRoot',
    async safe() {
      await close(createInRoot(root, 'swap/file'))
      await unlinkInRoot(root, 'swap/file')
    },
    async weak() {
      await close(createInRoot(root, 'swap/file'))
      unlinkSync(await joined('swap/file'))
    },
    harmed: () => outside().length === 0,
  },
  {
    what: 'reopen',
    async safe() {
      using handle = await openInRoot(root, 'swap/file', O_PATH)
      return await text(reopen(handle))
    },
    async weak() {
      using handle = await openInRoot(root, 'swap/file', O_PATH)
      return await text(openFile(await readLink(`/proc/self/fd/${handle.fd}`)))
    },
  },
  {
    what: 'verifyInode',
    async safe() {
      const meant = (await stat(join(top, 'inside'))).inode
      using file = await openFile(join(root, 'swap/file'))
      await verifyInode(file, ({ stat }) => (stat.inode === meant ? undefined : 'another file'))
      return await text(reopen(file))
    },
    async weak() {
      const meant = (await stat(join(top, 'inside'))).inode
      const path = join(root, 'swap/file')
      if ((await stat(path)).inode === meant) return await text(openFile(path))
    },
    prepare() {
      rmSync(join(root, 'swap/file'))
      writeFileSync(join(top, 'inside'), 'inside')
      symlinkSync('../../inside', join(root, 'swap/file'))
    },
  },
]

describe.each(races)('TS-05 UT-05 UT-07 $what', ({ safe, weak, prepare, ...more }) => {
  /** Whether the host was harmed, and how often the act succeeded without. */
  async function run(
    act: Race['safe'],
    attempts: number,
  ): Promise<{ harmed: boolean; done: number; exchanges: number }> {
    plant()
    prepare?.()
    const [a, b] = more.pair ?? ['root/swap', 'root/link']
    let [harmed, done, n] = [false, 0, 0]
    const { exchanges } = await race(
      exchanger,
      [join(top, a), join(top, b)],
      async () => {
        try {
          harmed ||= (await act(n++)) === 'of the host'
          done++
        } catch (error) {
          if (!expected.has((error as { code: string }).code)) throw error
        }
        harmed ||= more.harmed?.() ?? false
        return !harmed
      },
      { attempts },
    )
    return { harmed, done, exchanges }
  }

  test('is not led out of the root, 10 000 exchanges long', {
    ...requires('program:gcc'),
    timeout: 120_000,
  }, async () => {
    const { harmed, done, exchanges } = await run(safe, 1000)
    expect(harmed).toBe(false)
    expect(done).toBeGreaterThan(0)
    expect(exchanges).toBeGreaterThanOrEqual(10_000)
    expect(readFileSync(join(top, 'outside/file'), 'utf8')).toBe('of the host')
    expect(existsSync(join(top, 'target'))).toBe(false)
  })

  test('its weakened twin is led out', { ...requires('program:gcc'), timeout: 120_000 }, async () => {
    // Ends when it is: on a busy machine the two may long take turns, and not meet.
    expect((await run(weak, 50_000)).harmed).toBe(true)
  })
})
