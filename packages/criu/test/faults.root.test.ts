import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { dump, findCriu, type NotifyName, restore } from '@libcontainer/criu'
import { expect, test } from 'vitest'
import { alive, requires, standstill, until } from '../../../test/support/index.js'
import { again, groveOf, type Tree, type TreeStart } from './tree.js'

const needs = requires('root', 'criu', 'program:gcc')
const grove = groveOf(needs)
const start = (options?: TreeStart) => grove.start(options)

const own = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]!
/** The children of this process that execute CRIU: itself, and what it has forked and not made into anything else yet. */
const criuChildren = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return own(pid) === String(process.pid) && readlinkSync(`/proc/${pid}/exe`).endsWith('/criu')
      } catch {
        return false
      }
    })
const killCriu = (): void => {
  for (const pid of criuChildren())
    if (readFileSync(`/proc/${pid}/status`, 'utf8').includes('TracerPid:\t0')) process.kill(pid, 'SIGKILL')
}
const images = (directory: string): string[] => readdirSync(directory).filter(name => name.endsWith('.img'))

/** A dump that stands still within the memory of its tree. */
async function inMidDump(tree: Tree, imagesDir: string, more: { signal?: AbortSignal; freezeCgroup?: string } = {}) {
  const pageServer = await standstill()
  const { signal, ...options } = more
  const failed = dump({ pid: tree.pid, imagesDir, pageServer, ...options }, { signal }).then(
    () => undefined,
    error => error as Error,
  )
  await pageServer.reached
  const log = (): string => readFileSync(join(imagesDir, 'dump.log'), 'utf8')
  await until(
    'the processes are being dumped',
    // What a killed CRIU has left in a process, a memfd, comes before its pages.
    () => /Dumping (pages|memfd)/.test(log()),
    () => log().split('\n').slice(-20).join('\n'),
  )
  expect(readFileSync(`/proc/${tree.pid}/status`, 'utf8')).not.toContain('TracerPid:	0')
  return { failed, close: () => pageServer[Symbol.dispose]() }
}
const stateOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!

test(
  'CR-06 CRIU killed, and aborted, in mid-dump: the tree goes on, untraced, and no images are left',
  needs,
  async () => {
    const { tree, imagesDir } = await start({ mib: 16 })
    for (const how of ['killed', 'aborted']) {
      const stop = new AbortController()
      const { failed, close } = await inMidDump(tree, imagesDir, { signal: stop.signal })
      try {
        if (how === 'killed') killCriu()
        else stop.abort(new Error('enough'))
        expect((await failed)?.message).toMatch(how === 'killed' ? /signal 9 ended it/ : /^enough$/)
        await tree.goesOn()
        for (const pid of tree.pids) expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toContain('TracerPid:\t0')
        expect(tree.pids.length).toBe(3)
        expect(images(imagesDir)).toEqual([])
        expect(criuChildren()).toEqual([])
      } finally {
        close()
      }
    }
    // And it can be dumped as if nothing had been.
    await again(tree, { imagesDir })
    await tree.goesOn()
  },
)

test('CR-06 in a frozen cgroup: CRIU killed in mid-dump leaves it thawed', needs, async () => {
  const { tree, imagesDir } = await start({ mib: 16 })
  const freezeCgroup = `/sys/fs/cgroup/criu-test-${process.pid}`
  mkdirSync(freezeCgroup)
  try {
    for (const pid of tree.pids) writeFileSync(`${freezeCgroup}/cgroup.procs`, `${pid}`)
    const { failed, close } = await inMidDump(tree, imagesDir, { freezeCgroup })
    killCriu()
    expect((await failed)?.message).toMatch(/signal 9/)
    close()
    await tree.goesOn()
    expect(readFileSync(`${freezeCgroup}/cgroup.freeze`, 'utf8')).toBe('0\n')
  } finally {
    tree.kill()
    await until('nobody is in it', () => readFileSync(`${freezeCgroup}/cgroup.procs`, 'utf8') === '')
    await until('it is gone', () => {
      try {
        execFileSync('rmdir', [freezeCgroup], { stdio: 'ignore' })
        return true
      } catch {
        return false
      }
    })
  }
})

test(
  'CR-16 a callback that throws: CRIU takes everything back, and the error has it for its cause',
  needs,
  async () => {
    const { tree, imagesDir } = await start()
    const cause = new Error('not now')
    const refuse = () => Promise.reject(cause)
    const lazily = { lazyPages: true, pageServer: { address: '127.0.0.1', port: 27_128 } }
    for (const [name, how] of [
      ['pre-dump', {}],
      ['post-dump', {}],
      ['status-ready', lazily],
    ] as const) {
      await expect(dump({ pid: tree.pid, imagesDir, ...how }, { onNotify: { [name]: refuse } })).rejects.toMatchObject({
        code: 'CriuFailed',
        cause,
      })
      await tree.goesOn()
      expect(images(imagesDir)).toEqual([])
    }
    await dump({ pid: tree.pid, imagesDir })
    for (const name of ['pre-restore', 'post-restore'] as const) {
      await expect(restore({ imagesDir }, { onNotify: { [name]: refuse } })).rejects.toMatchObject({
        code: 'CriuFailed',
        cause,
      })
      expect(existsSync(`/proc/${tree.pid}`)).toBe(false)
    }
    tree.take(await restore({ imagesDir }))
    await tree.goesOn()
  },
)

test('CR-18 CRIU killed, and aborted, in mid-restore: nothing of the tree is left', needs, async () => {
  const { tree, imagesDir } = await start()
  const pids = tree.pids
  await dump({ pid: tree.pid, imagesDir })
  const nothingIsLeft = async (): Promise<void> => {
    await until('nothing is left', () => pids.every(pid => !alive(pid)) && criuChildren().length === 0)
    expect(existsSync(`/proc/${tree.pid}`)).toBe(false)
  }
  for (const name of ['pre-restore', 'post-restore'] satisfies NotifyName[]) {
    await expect(restore({ imagesDir }, { onNotify: { [name]: killCriu } })).rejects.toThrow(/signal 9 ended it/)
    await nothingIsLeft()
  }
  // Where its clocks should be, its first process waits for a writer: it is forked, and still a copy of CRIU.
  const clocks = join(imagesDir, 'timens-0.img')
  const kept = readFileSync(clocks)
  rmSync(clocks)
  execFileSync('mkfifo', [clocks])
  for (const how of ['killed', 'aborted']) {
    const stop = new AbortController()
    const failed = restore({ imagesDir }, { signal: stop.signal }).then(
      () => undefined,
      error => error as Error,
    )
    try {
      await until('the first process is there', () => existsSync(`/proc/${tree.pid}`) && stateOf(tree.pid) === 'S')
      if (how === 'killed') process.kill(criuChildren().find(pid => pid !== tree.pid)!, 'SIGKILL')
    } finally {
      if (how === 'aborted') stop.abort(new Error('enough'))
    }
    expect((await failed)?.message).toMatch(how === 'killed' ? /signal 9 ended it/ : /^enough$/)
    await nothingIsLeft()
  }
  rmSync(clocks)
  writeFileSync(clocks, kept)
  tree.take(await restore({ imagesDir }))
  await tree.goesOn()
})

test('CR-19 images that are damaged or not all there: a cause and a remedy, and nothing is left', needs, async () => {
  const { tree, imagesDir } = await start()
  await dump({ pid: tree.pid, imagesDir })
  const damage = async (name: string, harm: (file: string) => void): Promise<Error> => {
    const file = join(imagesDir, name)
    const kept = readFileSync(file)
    harm(file)
    const error = (await restore({ imagesDir }).catch(error => error)) as Error
    writeFileSync(file, kept)
    expect(existsSync(`/proc/${tree.pid}`), name).toBe(false)
    return error
  }
  const core = `core-${tree.pid}.img`
  for (const [name, harm] of [
    [core, file => truncateSync(file, 100)],
    ['pstree.img', file => writeFileSync(file, Buffer.alloc(200, 0x5a))],
    ['files.img', file => rmSync(file)],
  ] satisfies [string, (file: string) => void][]) {
    const error = await damage(name, harm)
    expect
      .soft([error.message, (error as { hint?: string }).hint], name)
      .toEqual([
        expect.stringMatching(/^CRIU could not restore the processes, /),
        expect.stringMatching(/images are damaged/),
      ])
  }
  // What CRIU would read for ever, or take for another thing, is refused before it is started.
  for (const [name, harm, problem] of [
    ['inventory.img', file => rmSync(file), /inventory.img is not there/],
    ['pages-1.img', file => truncateSync(file, 4096), /pages-1.img has 4096 of \d+ bytes/],
    ['pages-1.img', file => rmSync(file), /pages-1.img is not there/],
    [`pagemap-${tree.pid}.img`, file => truncateSync(file, statSync(file).size - 1), /pagemap-\d+.img: it is cut off/],
    [`pagemap-${tree.pid}.img`, file => writeFileSync(file, 'x'), /pagemap-\d+.img: it is no image/],
  ] satisfies [string, (file: string) => void, RegExp][])
    expect.soft(await damage(name, harm), name).toMatchObject({
      name: 'ConfigInvalid',
      field: 'imagesDir',
      message: expect.stringMatching(problem),
    })
  tree.take(await restore({ imagesDir }))
  await tree.goesOn()
})

test('CR-05 a directory that is full, read-only, or not empty: the tree goes on', needs, async () => {
  const { tree, directory } = await start({ mib: 4 })
  const small = join(directory, 'small')
  mkdirSync(small)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'small', small])
  try {
    const imagesDir = join(small, 'images')
    await expect(dump({ pid: tree.pid, imagesDir })).rejects.toMatchObject({
      code: 'CriuFailed',
      hint: expect.stringContaining('the disk of the images is full'),
    })
    await tree.goesOn()
    expect(images(imagesDir)).toEqual([])
    execFileSync('mount', ['-o', 'remount,ro', small])
    for (const at of [imagesDir, join(small, 'new')])
      await expect(dump({ pid: tree.pid, imagesDir: at })).rejects.toMatchObject({ code: 'EROFS' })
    expect(tree.count).toBeGreaterThan(0)
  } finally {
    execFileSync('umount', [small])
  }
  const imagesDir = join(directory, 'used')
  await dump({ pid: tree.pid, imagesDir, leaveRunning: true })
  const before = images(imagesDir)
  await expect(dump({ pid: tree.pid, imagesDir })).rejects.toMatchObject({ name: 'ConfigInvalid', field: 'imagesDir' })
  expect(images(imagesDir)).toEqual(before)
  await tree.goesOn()
})

test('CR-02 a running service does the same', needs, async () => {
  const { tree, directory, imagesDir } = await start()
  const service = join(directory, 'service')
  const pidfile = join(directory, 'pid')
  execFileSync((await findCriu())!, [
    'service',
    '-d',
    '--address',
    service,
    '--pidfile',
    pidfile,
    '-W',
    directory,
    '-o',
    'service.log',
  ])
  try {
    const { pid, pidfd } = await (async () => {
      await dump({ pid: tree.pid, imagesDir }, { criu: { service } })
      return await restore({ imagesDir }, { criu: { service } })
    })()
    pidfd.close()
    tree.pid = pid
    await tree.goesOn()
    expect(own(pid)).not.toBe(String(process.pid))
  } finally {
    process.kill(Number(readFileSync(pidfile, 'utf8')), 'SIGKILL')
  }
})
