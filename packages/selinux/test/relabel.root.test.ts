import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { getFileLabel, type RelabelOptions, type RelabelProgress, relabel, setFileLabel } from '@libcontainer/selinux'
import { setAttribute } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, securityModules, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root')
/** Of a type that distributions' policies have: this works with SELinux, and without. */
const label = (level = 's0:c1,c2'): string => `system_u:object_r:tmp_t:${level}`
const always = { whereOff: true }
const of = async (path: string) => await getFileLabel(path, { follow: false })

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

/** Something is mounted there while `act` runs. */
async function mounted<T>(args: readonly string[], path: string, act: () => Promise<T>): Promise<T> {
  run('mount', ...args, path)
  try {
    return await act()
  } finally {
    run('umount', path)
  }
}

/** A directory of its own, whatever its depth. */
async function inTree<T>(act: (path: string) => Promise<T>): Promise<T> {
  const place = temporaryDirectory('selinux-relabel-')
  try {
    return await act(place.path)
  } finally {
    run('rm', '-rf', place.path)
  }
}

test('SE-12 a tree with all kinds of files: links have the label, and what they lead to has not', needs, async () => {
  await inTree(async outside => {
    await inTree(async tree => {
      writeFileSync(`${outside}/file`, '')
      const before = await of(`${outside}/file`)
      const long = `${'ä'.repeat(127)}x`
      mkdirSync(`${tree}/a/b`, { recursive: true })
      mkdirSync(`${tree}/${long}`)
      writeFileSync(`${tree}/a/b/file`, '')
      writeFileSync(`${tree}/${long}/a\nb`, '')
      writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff, 0xfe])]), '')
      symlinkSync(`${outside}/file`, `${tree}/a/link`)
      symlinkSync(outside, `${tree}/a/directory`)
      symlinkSync('/nowhere', `${tree}/a/nowhere`)
      run('mkfifo', `${tree}/fifo`)
      run('mknod', `${tree}/null`, 'c', '1', '3')
      const found = await relabel(tree, label(), always)
      expect(found).toEqual({ done: true, passes: 2, entries: 12, changed: 12, unsupported: 0, gone: 0 })
      for (const name of [
        '',
        '/a',
        '/a/b',
        '/a/b/file',
        `/${long}/a\nb`,
        '/a/link',
        '/a/directory',
        '/a/nowhere',
        '/fifo',
        '/null',
      ])
        expect(await of(`${tree}${name}`), name).toBe(label())
      expect(await of(`${outside}/file`)).toBe(before)
      expect(await of(outside)).not.toBe(label())
      // What is right stays untouched.
      const { ctimeNs } = statSync(`${tree}/a/b/file`, { bigint: true })
      expect(await relabel(`${tree}/`, label(), always)).toMatchObject({ entries: 12, changed: 0 })
      expect(statSync(`${tree}/a/b/file`, { bigint: true }).ctimeNs).toBe(ctimeNs)
      await setFileLabel(`${tree}/a/b/file`, label('s0:c3'), always)
      expect(await relabel(tree, label(), always)).toMatchObject({ entries: 12, changed: 1 })
      expect(await of(`${tree}/a/b/file`)).toBe(label())
    })
  })
})

test(
  'SE-12 shared is the level s0, private the level as it is, both an error; a file alone; nothing for no label',
  needs,
  async () => {
    await inTree(async tree => {
      const file = `${tree}/file`
      writeFileSync(file, '')
      symlinkSync('file', `${tree}/link`)
      await relabel(file, label(), { ...always, shared: true })
      expect(await of(file)).toBe(label('s0'))
      // A link is followed where it is what was named.
      expect(await relabel(`${tree}/link`, label(), { ...always, private: true })).toMatchObject({
        entries: 1,
        changed: 1,
        passes: 0,
      })
      expect(await of(file)).toBe(label())
      await relabel(file, 'system_u:object_r:tmp_t:s0', { ...always, shared: true })
      expect(await of(file)).toBe('system_u:object_r:tmp_t:s0')
      expect(await relabel(file, '', always)).toMatchObject({ done: false, changed: 0 })
      for (const [given, options, field] of [
        [label(), { shared: true, private: true }, 'relabel'],
        ['no context', {}, 'label'],
      ] as [string, RelabelOptions, string][])
        await expect(relabel(file, given, { ...always, ...options })).rejects.toMatchObject({
          name: 'ConfigInvalid',
          field,
        })
      await expect(relabel(`${tree}/absent`, label(), always)).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await of(file)).toBe('system_u:object_r:tmp_t:s0')
    })
  },
)

test('SE-12 EV-085 what the system needs is refused, by whatever path it is reached', needs, async () => {
  const etc = await of('/etc')
  await inTree(async tree => {
    symlinkSync('/usr', `${tree}/link`)
    mkdirSync(`${tree}/etc`)
    const up = '../'.repeat(tree.split('/').length)
    for (const path of [
      '/',
      '/usr',
      '/etc/',
      '//etc/.',
      '/var/lib',
      '/home',
      '/tmp',
      `${tree}/link`,
      `${tree}/${up}usr`,
      `/usr/../etc`,
    ])
      await expect(relabel(path, label(), always), path).rejects.toMatchObject({
        field: 'path',
        message: expect.stringContaining('the system needs'),
      })
    await mounted(['--bind', '/etc'], `${tree}/etc`, async () => {
      await expect(relabel(`${tree}/etc`, label(), always)).rejects.toMatchObject({ field: 'path' })
      await expect(relabel(tree, label(), always)).rejects.toMatchObject({
        code: 'EPERM',
        path: `${tree}/etc`,
        hint: expect.stringContaining('directory of the system'),
      })
    })
  })
  expect(await of('/etc')).toBe(etc)
})

test(
  'SE-12 a read-only file system is an error that says what was done before; the directory itself is not',
  needs,
  async () => {
    await inTree(async tree => {
      mkdirSync(`${tree}/a/ro`, { recursive: true })
      writeFileSync(`${tree}/file`, '')
      await mounted(['-t', 'tmpfs', '-o', 'ro', 'none'], `${tree}/a/ro`, async () => {
        const failure = await relabel(tree, label(), always).catch((error: unknown) => error)
        expect(failure).toMatchObject({
          name: 'SyscallError',
          code: 'EROFS',
          path: `${tree}/a/ro`,
          message: expect.stringContaining('(2 labels were changed before, and stay so)'),
          hint: expect.stringContaining('read-only'),
          progress: { entries: 2, changed: 2 },
        })
      })
      expect([await of(`${tree}/file`), await of(`${tree}/a`)]).toEqual([label(), label()])
      expect(await of(tree)).not.toBe(label())
    })
  },
)

test('SE-12 a file system without labels is told, and no error', needs, async () => {
  await inTree(async tree => {
    mkdirSync(`${tree}/one`)
    // With SELinux ramfs has labels, and a mount may have one for all.
    const on = securityModules().includes('selinux')
    const options = on ? ['-t', 'tmpfs', '-o', `context=${label('s0')}`] : ['-t', 'ramfs']
    await mounted([...options, 'none'], `${tree}/one`, async () => {
      writeFileSync(`${tree}/one/file`, '')
      expect(await relabel(tree, label(), always)).toMatchObject({ entries: 3, changed: 1, unsupported: 2 })
      expect(await relabel(`${tree}/one`, label(), always)).toMatchObject({ entries: 2, changed: 0, unsupported: 2 })
    })
  })
})

test(
  'SE-12 what is moved in meanwhile has the label, too; a tree that never holds still is given up, and told',
  needs,
  async () => {
    await inTree(async outside => {
      await inTree(async tree => {
        mkdirSync(`${tree}/a`)
        mkdirSync(`${outside}/new/deep`, { recursive: true })
        writeFileSync(`${outside}/new/deep/file`, '')
        let moved = false
        const onProgress = () => {
          if (!moved) renameSync(`${outside}/new`, `${tree}/a/new`)
          moved = true
        }
        const { passes, changed } = await relabel(tree, label(), { ...always, onProgress })
        expect(passes).toBeGreaterThanOrEqual(2)
        expect(changed).toBe(5)
        for (const name of ['a/new', 'a/new/deep', 'a/new/deep/file'])
          expect(await of(`${tree}/${name}`), name).toBe(label())
        let last = 0
        const restless = ({ passes }: RelabelProgress) => {
          if (passes === last) return
          last = passes
          writeFileSync(`${outside}/${passes}`, '')
          renameSync(`${outside}/${passes}`, `${tree}/a/${passes}`)
        }
        await expect(relabel(tree, label('s0'), { ...always, onProgress: restless })).rejects.toMatchObject({
          code: 'EBUSY',
          progress: { passes: 8 },
          hint: expect.stringContaining('moved into it'),
        })
      })
    })
  },
)

test('SE-12 many files in one directory, directories of any depth, and an end that is asked for', needs, async () => {
  await inTree(async tree => {
    const count = 4500
    run('sh', '-c', `cd ${tree} && mkdir flat && cd flat && seq ${count} | xargs touch && mkdir 0 && touch 0/0`)
    // 5200 bytes: no path of the kernel's is so long.
    const name = 'd'.repeat(100)
    run(
      'perl',
      '-e',
      `chdir '${tree}'; for (1..52) { mkdir '${name}' and chdir '${name}' or die $! } open F, '>file' or die $!`,
    )
    const seen: number[] = []
    const found = await relabel(tree, label(), { ...always, onProgress: ({ entries }) => seen.push(entries) })
    expect(found).toMatchObject({ entries: count + 57, changed: count + 57 })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    const flat = await Promise.all(Array.from({ length: count }, (_, i) => of(`${tree}/flat/${i + 1}`)))
    expect(new Set(flat)).toEqual(new Set([label()]))
    expect(await relabel(tree, label(), always)).toMatchObject({ entries: count + 57, changed: 0 })
    const end = new AbortController()
    const ended = relabel(tree, label('s0'), {
      ...always,
      signal: end.signal,
      onProgress: () => end.abort(new Error('enough')),
    })
    await expect(ended).rejects.toThrow('enough')
    expect(await of(tree)).toBe(label())
  })
})

test('SE-03 a file’s label, of a link itself, and of none; a value of no bytes is none', needs, async () => {
  await inTree(async tree => {
    const file = `${tree}/file`
    writeFileSync(file, '')
    symlinkSync('file', `${tree}/link`)
    await setFileLabel(`${tree}/link`, label('s0'), { ...always, follow: false })
    await setFileLabel(`${tree}/link`, label(), always)
    expect([await getFileLabel(file), await getFileLabel(`${tree}/link`), await of(`${tree}/link`)]).toEqual([
      label(),
      label(),
      label('s0'),
    ])
    await setFileLabel(file, '', always)
    expect(await getFileLabel(file)).toBe(label())
  })
})

test(
  'SE-03 without SELinux a file may have no label, or one of no bytes',
  requires('root', 'nolsm:selinux'),
  async () => {
    await inTree(async tree => {
      const file = `${tree}/file`
      writeFileSync(file, '')
      expect(await getFileLabel(file)).toBeUndefined()
      await setAttribute(file, 'security.selinux', '')
      expect(await getFileLabel(file)).toBeUndefined()
      await setAttribute(file, 'security.selinux', 'u:r:t')
      expect(await getFileLabel(file)).toBe('u:r:t')
    })
  },
)
