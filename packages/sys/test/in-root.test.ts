import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  cleanPath,
  createInRoot,
  isInRoot,
  listDirectory,
  mkdirAllInRoot,
  namesOfPath,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openDirectory,
  openFile,
  openFlags,
  openInRoot,
  readFd,
  reopen,
  resolveRootfs,
  secureJoin,
  stripRoot,
  symlinkInRoot,
  unlinkInRoot,
  writeFd,
} from '@libcontainer/sys'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'

let place: TemporaryDirectory
let root: string
let outside: string

beforeEach(() => {
  place = temporaryDirectory('in-root-')
  root = join(place.path, 'root')
  outside = join(place.path, 'outside')
  mkdirSync(root)
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'of the host')
})
afterEach(() => place[Symbol.dispose]())

const text = async (fd: { fd: number; close(): void }): Promise<string> => {
  const buffer = new Uint8Array(100)
  try {
    return new TextDecoder().decode(buffer.subarray(0, await readFd(fd.fd, buffer)))
  } finally {
    fd.close()
  }
}
const code = (name: string) => expect.objectContaining({ code: name })

test('UT-05 openInRoot: links mean what they mean inside, and climb nowhere', async () => {
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/secret'), 'of the image')
  symlinkSync('/etc/secret', join(root, 'absolute'))
  symlinkSync('../../../../../etc/secret', join(root, 'climbing'))
  symlinkSync(join(outside, 'secret'), join(root, 'host'))
  symlinkSync('loop', join(root, 'loop'))
  for (const path of ['etc/secret', '/etc/secret', '../../etc/secret', 'absolute', 'climbing']) {
    expect(await text(await openInRoot(root, path)), path).toBe('of the image')
  }
  await expect(openInRoot(root, 'host')).rejects.toEqual(code('ENOENT'))
  await expect(openInRoot(root, 'loop')).rejects.toEqual(code('ELOOP'))
  await expect(openInRoot(root, 'etc/none')).rejects.toEqual(
    expect.objectContaining({ code: 'ENOENT', path: 'etc/none', syscall: 'openat2' }),
  )
  // O_CREAT is createInRoot's.
  await expect(openInRoot(root, 'etc/none', O_WRONLY | O_CREAT)).rejects.toEqual(code('ENOENT'))
  expect(existsSync(join(root, 'etc/none'))).toBe(false)
})

test('UT-05 the same beneath a descriptor of the root', async () => {
  writeFileSync(join(root, 'file'), 'here')
  const directory = await openDirectory(root, { handle: true })
  try {
    expect(await text(await openInRoot(directory, '/file'))).toBe('here')
  } finally {
    directory.close()
  }
})

test('UT-05 createInRoot makes a file inside, also through a link that leads out; O_EXCL opens nothing that is there', async () => {
  symlinkSync(outside, join(root, 'link'))
  mkdirSync(join(root, outside), { recursive: true })
  const file = await createInRoot(root, 'link/new', O_WRONLY, 0o640)
  await writeFd(file.fd, new TextEncoder().encode('inside'))
  file.close()
  expect(existsSync(join(outside, 'new'))).toBe(false)
  expect(readFileSync(join(root, outside, 'new'), 'utf8')).toBe('inside')
  expect(statSync(join(root, outside, 'new')).mode & 0o777).toBe(0o640 & ~process.umask())
  await expect(createInRoot(root, 'link/new', O_WRONLY | O_EXCL)).rejects.toEqual(code('EEXIST'))
  symlinkSync('nothing', join(root, 'dangling'))
  await expect(createInRoot(root, 'dangling', O_WRONLY | O_EXCL)).rejects.toEqual(code('EEXIST'))
  await expect(createInRoot(root, 'x', O_WRONLY, -1)).rejects.toEqual(code('ConfigInvalid'))
})

test('UT-05 mkdirAllInRoot makes what is missing, by the umask, and hands a set-group-id bit down', async () => {
  symlinkSync('/real', join(root, 'link'))
  mkdirSync(join(root, 'real'), { mode: 0o700 })
  mkdirSync(join(root, 'group'))
  chmodSync(join(root, 'group'), 0o2775)
  const before = process.umask(0o027)
  try {
    const made = await mkdirAllInRoot(root, 'link/a/b', 0o777)
    expect(readlinkSync(`/proc/self/fd/${made.fd}`)).toBe(join(root, 'real/a/b'))
    made.close()
    ;(await mkdirAllInRoot(root, '../../group/c')).close()
  } finally {
    process.umask(before)
  }
  expect(statSync(join(root, 'real')).mode & 0o7777).toBe(0o700)
  expect(statSync(join(root, 'real/a')).mode & 0o7777).toBe(0o750)
  expect(statSync(join(root, 'real/a/b')).mode & 0o7777).toBe(0o750)
  expect(statSync(join(root, 'group/c')).mode & 0o2000).toBe(0o2000)
  await expect(mkdirAllInRoot(root, 'x', 0o4755)).rejects.toEqual(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'mode' }),
  )
  expect(existsSync(join(root, 'x'))).toBe(false)
})

test('UT-05 symlinkInRoot and unlinkInRoot act on the last name itself', async () => {
  symlinkSync(outside, join(root, 'out'))
  await symlinkInRoot(root, '/etc/target', 'out/deep/link')
  expect(readlinkSync(join(root, outside, 'deep/link'))).toBe('/etc/target')
  expect(existsSync(join(outside, 'deep'))).toBe(false)
  await expect(symlinkInRoot(root, 'other', 'out/deep/link')).rejects.toEqual(code('EEXIST'))

  await expect(unlinkInRoot(root, 'out/secret')).rejects.toEqual(code('ENOENT'))
  expect(existsSync(join(outside, 'secret'))).toBe(true)
  await unlinkInRoot(root, 'out/deep/link')
  expect(existsSync(join(root, outside, 'deep/link'))).toBe(false)
  await expect(unlinkInRoot(root, 'out/deep')).rejects.toEqual(code('EISDIR'))
  await unlinkInRoot(root, 'out/deep', { directory: true })
  // A link goes itself, and a path that is about something else is refused.
  await unlinkInRoot(root, 'out')
  expect(existsSync(join(outside, 'secret'))).toBe(true)
  for (const path of ['', '/', '.', '..', 'a/', 'a/..', 'a/.']) {
    await expect(unlinkInRoot(root, path), path).rejects.toEqual(code('ConfigInvalid'))
    await expect(symlinkInRoot(root, 'x', path), path).rejects.toEqual(code('ConfigInvalid'))
  }
})

test('UT-05 reopen: a handle becomes a file that can be read, whatever has its name by now', async () => {
  writeFileSync(join(root, 'file'), 'first')
  const handle = await openInRoot(root, 'file', O_PATH)
  await unlinkInRoot(root, 'file')
  writeFileSync(join(root, 'file'), 'second')
  expect(await text(await reopen(handle))).toBe('first')
  const written = await reopen(handle, O_WRONLY)
  await writeFd(written.fd, new TextEncoder().encode('FIRST'))
  written.close()
  expect(await text(await reopen(handle, O_RDONLY))).toBe('FIRST')
  await expect(reopen(handle, openFlags().O_DIRECTORY)).rejects.toEqual(code('ENOTDIR'))
  handle.close()
})

test('UT-05 EV-200 paths that are no UTF-8 are given as bytes; lone surrogates and NUL are refused', async () => {
  const name = new Uint8Array([0x66, 0xff, 0xfe])
  const file = await createInRoot(root, name, O_WRONLY)
  file.close()
  expect(readdirSync(root, 'buffer')).toEqual([Buffer.from(name)])
  expect((await listDirectory(root))[0]).toEqual({ name: 'f\ufffd\ufffd', type: 'file', bytes: name })
  await symlinkInRoot(root, name, 'to-it')
  expect(readlinkSync(join(root, 'to-it'), 'buffer')).toEqual(Buffer.from(name))
  ;(await openInRoot(root, name)).close()
  await unlinkInRoot(root, name)
  await expect(openInRoot(root, name)).rejects.toEqual(
    expect.objectContaining({ code: 'ENOENT', path: 'f\ufffd\ufffd' }),
  )
  for (const path of ['a\ud800', 'a\0b', new Uint8Array([0x61, 0])]) {
    await expect(openInRoot(root, path)).rejects.toEqual(code('ConfigInvalid'))
    await expect(openFile(path)).rejects.toEqual(code('ConfigInvalid'))
  }
})

test('UT-05 cleanPath: relative paths climb no more than absolute ones', () => {
  const table: Record<string, string> = {
    '': '',
    '.': '.',
    '/': '/',
    '..': '.',
    '../..': '.',
    '../a': 'a',
    'a/../../b': 'b',
    '/../a': '/a',
    '/a//b/./c/': '/a/b/c',
    'a/': 'a',
    '/a/..': '/',
    '...': '...',
  }
  for (const [path, clean] of Object.entries(table)) expect(cleanPath(path), path).toBe(clean)
  expect(namesOfPath('/../a/./b//../c/')).toEqual(['a', 'c'])
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '..', '.', '', 'b')), parts => {
      const clean = cleanPath(parts.join('/'))
      expect(clean.split('/')).not.toContain('..')
      expect(cleanPath(clean)).toBe(clean)
    }),
  )
  expect(() => cleanPath('a\0')).toThrow(code('ConfigInvalid'))
})

test('UT-05 isInRoot and stripRoot: by whole names, not by beginnings', () => {
  expect(isInRoot('/a', '/a')).toBe(true)
  expect(isInRoot('/a', '/a/b')).toBe(true)
  expect(isInRoot('/a/', '/a/../a/b')).toBe(true)
  expect(isInRoot('/a', '/ab')).toBe(false)
  expect(isInRoot('/a', '/a/../b')).toBe(false)
  expect(isInRoot('/', '/anything')).toBe(true)
  expect(isInRoot('/', 'relative')).toBe(false)
  expect(stripRoot('/a', '/a/b')).toBe('/b')
  expect(stripRoot('/a/', '/a')).toBe('/')
  expect(stripRoot('/a', '/ab')).toBe('/ab')
  expect(stripRoot('/', '/b/../c')).toBe('/c')
  expect(stripRoot('/a', '/a/../../a/b')).toBe('/b')
})

test('UT-05 secureJoin follows links inside, keeps what does not exist, and never leaves', async () => {
  mkdirSync(join(root, 'etc'))
  symlinkSync('/etc', join(root, 'absolute'))
  symlinkSync('../../../..', join(root, 'etc/up'))
  symlinkSync('loop', join(root, 'loop'))
  symlinkSync('/none/../there', join(root, 'dangling'))
  expect(await secureJoin(root, 'absolute/passwd')).toBe(`${root}/etc/passwd`)
  expect(await secureJoin(root, '/etc/up/etc/x')).toBe(`${root}/etc/x`)
  expect(await secureJoin(root, '../../x/../y')).toBe(`${root}/y`)
  expect(await secureJoin(root, 'dangling/z')).toBe(`${root}/there/z`)
  expect(await secureJoin(root, '')).toBe(root)
  expect(await secureJoin('/', '..')).toBe('/')
  await expect(secureJoin(root, 'loop')).rejects.toEqual(code('ELOOP'))
  await expect(secureJoin('relative', 'x')).rejects.toEqual(code('ConfigInvalid'))
})

test('UT-05 secureJoin and openInRoot agree, whatever links there are (property)', { timeout: 60_000 }, async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const target = fc
    .tuple(fc.boolean(), fc.array(fc.oneof(name, fc.constant('..')), { minLength: 1, maxLength: 4 }))
    .map(([absolute, parts]) => (absolute ? '/' : '') + parts.join('/'))
  let trees = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, name, target), { maxLength: 6 }),
      fc.array(target),
      async (links, paths) => {
        const top = join(root, `tree${trees++}`)
        mkdirSync(top)
        for (const directory of ['a', 'b', 'c']) mkdirSync(join(top, directory))
        for (const [directory, link, to] of links) {
          const at = join(top, directory, link)
          if (!existsSync(at)) {
            try {
              symlinkSync(to, at)
            } catch {}
          }
        }
        for (const path of paths) {
          let opened: Awaited<ReturnType<typeof openInRoot>>
          try {
            opened = await openInRoot(top, path, O_PATH)
          } catch {
            continue
          }
          const seen = readlinkSync(`/proc/self/fd/${opened.fd}`)
          opened.close()
          expect(await secureJoin(top, path)).toBe(seen)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('UT-02 resolveRootfs: absolute, without links, and a directory', async () => {
  symlinkSync('root', join(place.path, 'link'))
  expect(await resolveRootfs(join(place.path, 'link'))).toBe(root)
  const before = process.cwd()
  process.chdir(place.path)
  try {
    expect(await resolveRootfs('./link/.')).toBe(root)
  } finally {
    process.chdir(before)
  }
  await expect(resolveRootfs(join(outside, 'secret'))).rejects.toEqual(code('ENOTDIR'))
  await expect(resolveRootfs(join(place.path, 'none'))).rejects.toEqual(code('ENOENT'))
})
