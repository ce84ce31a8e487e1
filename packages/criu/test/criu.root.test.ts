import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  dump,
  imageSize,
  type NotifyCallback,
  type NotifyName,
  parseLog,
  preDump,
  restore,
  startLazyPages,
  startPageServer,
} from '@libcontainer/criu'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { again, groveOf, hugeRangesOf, type TreeStart } from './tree.js'

const needs = requires('root', 'criu', 'program:gcc', 'program:unshare')
const grove = groveOf(needs)
const start = (options?: TreeStart) => grove.start(options)

test(
  'CR-02 CR-05 CR-06 CR-16 a tree of two sessions goes on: memory, offsets, pipes, sockets, a terminal; CRIU tells of it in order',
  needs,
  async () => {
    // A network of its own is locked, and so told of.
    const { tree, imagesDir } = await start({ before: ['unshare', '--net'] })
    const told: string[] = []
    const names: NotifyName[] = [
      'pre-dump',
      'network-lock',
      'post-dump',
      'network-unlock',
      'pre-restore',
      'setup-namespaces',
    ]
    const more: NotifyName[] = ['post-setup-namespaces', 'post-restore', 'pre-resume', 'post-resume']
    const onNotify = Object.fromEntries(
      [...names, ...more].map((name): [string, NotifyCallback] => [
        name,
        async ({ name: said, pid }) => {
          // Whoever is waited for is waited for: nothing is told meanwhile.
          told.push(`${said}…`)
          await new Promise(resolve => setTimeout(resolve, 5))
          told.push(pid === undefined ? said : `${said} ${pid}`)
        },
      ]),
    )
    const sessions = tree.pids.map(pid => sessionOf(pid))
    const { dumped, restored, before, gone } = await again(
      tree,
      { imagesDir, emptyNs: ['net'], networkLock: 'nftables' },
      { onNotify },
    )
    expect(gone).toEqual([])
    const pid = tree.pid
    const saving = ['pre-dump', 'network-lock', 'post-dump']
    const namespaces = [`setup-namespaces ${pid}`, 'post-setup-namespaces']
    const restoring = [
      'pre-restore',
      ...namespaces,
      `post-restore ${pid}`,
      'network-unlock',
      'pre-resume',
      'post-resume',
    ]
    expect(told).toEqual([...saving, ...restoring].flatMap(name => [`${name.split(' ')[0]}…`, name]))
    await tree.goesOn()
    expect(tree.count).toBeGreaterThan(before)
    expect(tree.pids.map(each => sessionOf(each))).toEqual(sessions)
    expect(new Set(sessions).size).toBe(2)

    const { stats, log } = dumped
    expect(stats!.frozenUs).toBeGreaterThan(0)
    expect(stats!.pagesWritten).toBeGreaterThan(256)
    expect(restored.stats!.pagesRestored).toBeGreaterThan(256)
    expect(dumped.imageSize).toBe(await imageSize(imagesDir))
    expect(dumped.imageSize).toBeGreaterThan(stats!.pagesWritten * 4096)
    expect(statSync(imagesDir).mode & 0o777).toBe(0o700)
    const { phases, errors } = parseLog(readFileSync(log, 'utf8'))
    expect(errors).toEqual([])
    expect(phases.map(({ name }) => name)).toEqual(expect.arrayContaining(['freezing processes', 'dumping processes']))

    // It is our child: its end is told to us.
    tree.kill()
    expect(await restored.ended).toEqual({ code: undefined, signal: 9 })
    await expect(dump({ pid: process.pid, imagesDir })).rejects.toThrow(/^pid: must not have this process/)
    await expect(dump({ pid, imagesDir })).rejects.toMatchObject({ code: 'ESRCH' })
  },
)

const sessionOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3])

test('CR-01 three times in a row', needs, async () => {
  const { tree, imagesDir } = await start()
  for (let i = 0; i < 3; i++) {
    const { before } = await again(tree, { imagesDir, overwrite: true, logLevel: 2 })
    await tree.goesOn()
    expect(tree.count).toBeGreaterThan(before)
  }
})

test('CR-15 a file of CRIU’s words overrules what is asked', needs, async () => {
  const { tree, directory, imagesDir } = await start()
  const configFile = join(directory, 'criu.conf')
  writeFileSync(configFile, 'leave-running\n# said by who runs this machine\n')
  await dump({ pid: tree.pid, imagesDir, configFile })
  await tree.goesOn()
})

test('CR-10 EV-187 two pre-dumps and a dump, each of what has changed alone', needs, async () => {
  const { tree, directory } = await start({ mib: 8 })
  const at = (name: string): string => join(directory, name)
  expect(hugeRangesOf(tree.pid)).not.toEqual([])
  const first = await preDump({ pid: tree.pid, imagesDir: at('first') })
  // Of huge ones all would be written to again.
  expect(hugeRangesOf(tree.pid)).toEqual([])
  await tree.goesOn()
  const second = await preDump({ pid: tree.pid, imagesDir: at('second'), parentImg: '../first' })
  await tree.goesOn()
  expect(first.stats!.pagesWritten).toBeGreaterThan(8 * 256)
  expect(second.stats!.pagesWritten).toBeLessThan(first.stats!.pagesWritten / 4)
  const { dumped } = await again(tree, { imagesDir: at('images'), parentImg: '../second' })
  expect(dumped.stats!.pagesWritten).toBeLessThan(first.stats!.pagesWritten / 4)
  expect(dumped.stats!.pagesSkippedParent).toBeGreaterThan(8 * 200)
  await tree.goesOn()
})

test('CR-11 pages go to a page server', needs, async () => {
  const { tree, directory, imagesDir } = await start({ mib: 8 })
  const address = '127.0.0.1'
  const port = 27_123
  const elsewhere = join(directory, 'pages')
  const server = await startPageServer({ imagesDir: elsewhere, address, port })
  const dumped = await dump({ pid: tree.pid, imagesDir, pageServer: { address, port } })
  await server.wait()
  await server[Symbol.asyncDispose]()
  expect(dumped.imageSize).toBeLessThan(1024 * 1024)
  expect(await imageSize(elsewhere)).toBeGreaterThan(8 * 1024 * 1024)
  // The rest of the images belongs to the pages.
  for (const name of readdirSync(imagesDir))
    if (name.endsWith('.img')) writeFileSync(join(elsewhere, name), readFileSync(join(imagesDir, name)))
  tree.take(await restore({ imagesDir: elsewhere }))
  await tree.goesOn()
  await expect(startPageServer({ imagesDir: elsewhere, address: '192.0.2.1', port })).rejects.toMatchObject({
    code: 'CriuFailed',
    message: expect.stringMatching(/Can't bind|Cannot assign/),
  })
})

test('CR-12 lazy pages: the tree runs before its memory is there', needs, async () => {
  const { tree, imagesDir } = await start({ mib: 8 })
  await dump({ pid: tree.pid, imagesDir })
  const server = await startLazyPages({ imagesDir })
  tree.take(await restore({ imagesDir, lazyPages: true }))
  await tree.goesOn()
  await server.wait()
  await server[Symbol.asyncDispose]()
  await tree.goesOn()
})

test.for(['iptables', 'nftables'] as const)(
  'CR-20 a connection of TCP is held through, locked by %s',
  needs,
  async networkLock => {
    const { tree, imagesDir } = await start({ port: networkLock === 'iptables' ? 27_201 : 27_202 })
    if (networkLock === 'iptables') {
      await expect(dump({ pid: tree.pid, imagesDir })).rejects.toMatchObject({
        code: 'CriuFailed',
        message: expect.stringContaining('Connected TCP socket'),
        hint: expect.stringContaining('tcpEstablished'),
      })
      await tree.goesOn()
      expect(readdirSync(imagesDir).filter(name => !name.endsWith('.log'))).toEqual([])
    }
    const { before } = await again(tree, { imagesDir, tcpEstablished: true, networkLock })
    await tree.goesOn()
    expect(tree.count).toBeGreaterThan(before)
  },
)
