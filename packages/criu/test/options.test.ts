import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DumpOptions, dump, parsePageServer, preDump, type RestoreOptions, restore } from '@libcontainer/criu'
import { pipe, socketPair } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { dumpOpts, preDumpOpts, restoreOpts } from '../src/request.js'
import { featuresOf, requirementsOf } from '../src/requirements.js'

const NOWHERE = { imagesDirFd: 7, workDirFd: 8 }
const imagesDir = '/nowhere/images'

test('CR-01 CR-06 CR-13 CR-14 CR-20 a dump is asked for in CRIU’s own words', () => {
  const options: DumpOptions = {
    pid: 42,
    imagesDir,
    root: '/root',
    leaveRunning: true,
    tcpEstablished: true,
    emptyNs: ['net'],
    manageCgroupsMode: 'strict',
    networkLock: 'nftables',
    freezeCgroup: '/sys/fs/cgroup/x',
    pageServer: { address: '[::1]', port: 27 },
    parentImg: '../before',
    external: ['net[4026531840]:extRootNetNS'],
    extMnt: [{ key: '/data', val: 'lc-1' }],
    unixSkIno: [5],
    orphanPtsMaster: true,
  }
  expect(dumpOpts(options, NOWHERE)).toEqual({
    imagesDirFd: 7,
    workDirFd: 8,
    pid: 42,
    root: '/root',
    leaveRunning: true,
    tcpEstablished: true,
    emptyNs: 0x40000000,
    manageCgroups: true,
    manageCgroupsMode: 'strict',
    networkLock: 'nftables',
    freezeCgroup: '/sys/fs/cgroup/x',
    ps: { address: '::1', port: 27 },
    parentImg: '../before',
    trackMem: true,
    external: ['net[4026531840]:extRootNetNS'],
    extMnt: [{ key: '/data', val: 'lc-1' }],
    unixSkIno: [{ inode: 5 }],
    orphanPtsMaster: true,
    notifyScripts: true,
    logFile: 'dump.log',
    logLevel: 3,
  })
  for (const mode of ['soft', 'full', 'ignore', 'default'] as const)
    expect(dumpOpts({ pid: 1, imagesDir, manageCgroupsMode: mode }, NOWHERE).manageCgroups).toBe(mode !== 'ignore')
})

test('CR-10 a pre-dump asks the kernel to note what changes', () => {
  expect(preDumpOpts({ pid: 1, imagesDir }, NOWHERE)).toMatchObject({ trackMem: true, logFile: 'pre-dump.log' })
  expect(preDumpOpts({ pid: 1, imagesDir, trackMem: false }, NOWHERE).trackMem).toBe(false)
  expect(dumpOpts({ pid: 1, imagesDir }, NOWHERE).trackMem).toBeUndefined()
})

test('CR-18 a restore: our child, with descriptors behind the socket, and labels', () => {
  const run = { inheritFds: [9, 11].map(fd => ({ key: `pipe:[${fd}]`, fd })) }
  const options: RestoreOptions = {
    imagesDir,
    lsmProfile: 'apparmor:x',
    lsmMountContext: 'c',
    evasiveDevices: true,
    cgRoot: [{ path: '/x' }],
    veths: [{ ifIn: 'eth0', ifOut: 'veth1' }],
    joinNs: [{ ns: 'net', nsFile: '/run/netns/x' }],
  }
  expect(restoreOpts(options, NOWHERE, run)).toMatchObject({
    rstSibling: true,
    inheritFd: [
      { key: 'pipe:[9]', fd: 4 },
      { key: 'pipe:[11]', fd: 5 },
    ],
    ...Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'imagesDir')),
  })
  expect(restoreOpts({ imagesDir }, NOWHERE, { criu: { service: '/s' } }).rstSibling).toBeUndefined()
})

const refused = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(
    () => 'done',
    error => `${(error as Error).name} ${(error as { field?: string }).field}`,
  )

test.each([
  ['EV-190', { imagesDir: '' }, 'imagesDir'],
  ['EV-190', { emptyNs: ['pid'] }, 'emptyNs[0]'],
  ['EV-190', { manageCgroupsMode: 'hard' }, 'manageCgroupsMode'],
  ['EV-188', { pageServer: { address: '', port: 1 } }, 'pageServer.address'],
  ['EV-188', { pageServer: { address: 'x', port: 65536 } }, 'pageServer.port'],
  ['EV-188', { pageServer: { address: 'x', port: 0 } }, 'pageServer.port'],
  ['EV-187', { parentImg: '/before' }, 'parentImg'],
  ['EV-187', { parentImg: '../not-there' }, 'parentImg'],
  ['CR-06', { pid: 0 }, 'pid'],
  ['CR-06', { logFile: 'a/b' }, 'logFile'],
  ['CR-06', { logLevel: 7 }, 'logLevel'],
  ['CR-20', { networkLock: 'pf' }, 'networkLock'],
  ['CR-06', { leaveRuning: true }, 'leaveRuning'],
  ['CR-15', { configFile: 'criu.conf' }, 'configFile'],
  ['CR-15', { configFile: '/nowhere/criu.conf' }, 'configFile'],
  ['CR-06', { timeout: -1 }, 'timeout'],
  ['CR-06', { external: ['mnt[a\nb]:k'] }, 'external[0]'],
  ['CR-06', { external: ['/etc/passwd'] }, 'external[0]'],
])('%s %j is refused by its field, before anything is touched', async (_, wrong, field) => {
  const options = { pid: process.pid, imagesDir, ...wrong } as DumpOptions
  expect(await refused(dump(options))).toBe(`ConfigInvalid ${field}`)
})

test('EV-187 a parent that is a file is refused', async () => {
  using place = temporaryDirectory('criu-parent-')
  writeFileSync(join(place.path, 'file'), '')
  mkdirSync(join(place.path, 'directory'))
  const at = join(place.path, 'images')
  for (const parentImg of ['../file', '../file/x'])
    expect(await refused(preDump({ pid: process.pid, imagesDir: at, parentImg }))).toBe('ConfigInvalid parentImg')
  // One that is a directory is past that.
  expect(await refused(preDump({ pid: process.pid, imagesDir: at, parentImg: '../directory' }))).toBe(
    'ConfigInvalid pid',
  )
})

test('EV-189 CR-12 a status descriptor that is closed, for reading alone, or a socket is refused', async () => {
  const read = openSync('/dev/null', 'r')
  try {
    const options = { pid: process.pid, imagesDir, lazyPages: true, pageServer: { address: '127.0.0.1', port: 27 } }
    expect(await refused(dump({ ...options, statusFd: read }))).toBe('ConfigInvalid statusFd')
    expect(await refused(dump({ ...options, statusFd: 1_000_000 }))).toBe('ConfigInvalid statusFd')
    expect(await refused(dump({ ...options, statusFd: -1 }))).toBe('ConfigInvalid statusFd')
    const [one, other] = socketPair()
    expect(await refused(dump({ ...options, statusFd: one }))).toBe('ConfigInvalid statusFd')
    for (const end of [one, other]) end.close()
    const { read: hears, write } = pipe()
    expect(await refused(dump({ ...options, statusFd: write }))).toBe('ConfigInvalid pid')
    for (const end of [hears, write]) end.close()
    expect(await refused(dump({ ...options, pageServer: undefined }))).toBe('ConfigInvalid pageServer')
  } finally {
    closeSync(read)
  }
})

test('CVE-2026-115520 CVE-2026-119614 keys of mounts that CRIU could not read back are refused', async () => {
  for (const text of ['/data]:/etc', 'a]b', 'a\nb', '']) {
    expect(await refused(dump({ pid: process.pid, imagesDir, extMnt: [{ key: text, val: 'k' }] }))).toBe(
      'ConfigInvalid extMnt[0].key',
    )
    expect(await refused(dump({ pid: process.pid, imagesDir, extMnt: [{ key: '/x', val: text }] }))).toBe(
      'ConfigInvalid extMnt[0].val',
    )
    expect(await refused(restore({ imagesDir, extMnt: [{ key: text, val: '/x' }] }))).toBe(
      'ConfigInvalid extMnt[0].key',
    )
  }
})

test('CR-11 EV-188 ADDRESS:PORT', () => {
  expect(parsePageServer('127.0.0.1:27')).toEqual({ address: '127.0.0.1', port: 27 })
  expect(parsePageServer('[fe80::1%eth0]:65535')).toEqual({ address: 'fe80::1%eth0', port: 65535 })
  expect(parsePageServer('host:1')).toEqual({ address: 'host', port: 1 })
  for (const wrong of [
    '',
    ':1',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'host:x',
    '::1:27',
    '[::1]',
    '[]:1',
    'host:1 ',
  ])
    expect(() => parsePageServer(wrong), wrong).toThrow(/^pageServer/)
})

test('EV-191 CR-04 CR-08 what options take of CRIU’s version, and of its features', () => {
  expect(
    requirementsOf({ external: ['net[1]:k', 'pid[1]:k', 'mnt[x]:k'], lsmProfile: 'x', networkLock: 'skip' }),
  ).toEqual([
    { option: 'lsmProfile', version: '3.16' },
    { option: 'networkLock', version: '3.17' },
    { option: "networkLock: 'skip'", version: '3.19' },
    { option: 'external[0]', version: '3.11' },
    { option: 'external[1]', version: '3.15' },
  ])
  expect(requirementsOf({ freezeCgroup: '/x' })).toEqual([])
  expect(requirementsOf({ freezeCgroup: '/x' }, true)).toEqual([
    { option: 'freezeCgroup of cgroup v2', version: '3.14' },
  ])
  expect(requirementsOf({ tcpClose: false, leaveStopped: undefined })).toEqual([])
  expect(featuresOf({ parentImg: '../x', lazyPages: true })).toEqual(['memTrack', 'lazyPages'])
  expect(featuresOf({})).toEqual([])
})
