import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { NamespaceIds, NetlinkSocket, Netns } from '@libcontainer/netlink'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Running, requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root', 'namespace:net')
const module = new URL('../dist/index.js', import.meta.url).href
let place: TemporaryDirectory
let directory: string
const open = new Set<Netns>()

beforeEach(() => {
  place = temporaryDirectory('netns with blanks-')
  directory = `${place.path}/netns`
})
afterEach(async () => {
  for (const netns of open) netns.close()
  open.clear()
  for (const { name } of await Netns.list({ directory })) await Netns.delete(name, { directory })
  while (mountsAt(directory) > 0) execFileSync('umount', ['-l', directory])
  place[Symbol.dispose]()
})

async function create(name?: string): Promise<Netns> {
  const netns = await Netns.create({ name, directory })
  open.add(netns)
  return netns
}

/** How often something is mounted at a path. */
function mountsAt(path: string): number {
  const escaped = path.replaceAll(' ', '\\040')
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.filter(line => line.split(' ')[4] === escaped).length
}

/** `net:[4026531840]` */
const linkOf = (netns: Netns): string => `net:[${netns.inode}]`
/** As another process sees it. */
const pathOf = (netns: Netns): string => `/proc/${process.pid}/fd/${netns.fd.fd}`

/** A program in a namespace, by nsenter(1): what it wrote. */
const inside = (netns: Netns, ...command: string[]): string =>
  execFileSync('nsenter', [`--net=${pathOf(netns)}`, ...command], { encoding: 'utf8' })

test(
  'NL-22 a new namespace has a loopback device that is down; this process stays where it is, with all its threads',
  needs,
  async () => {
    const own = readlinkSync('/proc/self/ns/net')
    const netns = await create()
    expect(linkOf(netns)).not.toBe(own)
    expect(linkOf(netns)).toBe(inside(netns, 'readlink', '/proc/self/ns/net').trim())
    for (const thread of readdirSync('/proc/self/task'))
      expect(readlinkSync(`/proc/self/task/${thread}/ns/net`)).toBe(own)
    expect(inside(netns, 'cat', '/proc/net/dev')).toMatch(/^ *lo: +0 +0 /m)
    // Some kernels have ends of tunnels in every namespace.
    expect(inside(netns, 'cat', '/proc/net/dev')).not.toMatch(/^ *(eth|en)\w*:/m)
    // Nothing that this process executes has it.
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${netns.fd.fd}`, 'utf8'))?.[1]
    expect(Number.parseInt(flags!, 8) & 0o2000000).toBe(0o2000000)

    using same = await Netns.of(netns)
    using byPath = await Netns.of(pathOf(netns))
    using mine = await Netns.own()
    expect([same.equals(netns), byPath.equals(netns), mine.equals(netns)]).toEqual([true, true, false])
    expect(linkOf(mine)).toBe(own)
  },
)

test('NL-22 the namespace of a process, by its pid, stays open when the process has ended', needs, async () => {
  const sleeper = new Running(spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 1000']))
  let netns: Netns
  try {
    await sleeper.wrote('ready')
    netns = await Netns.of(sleeper.pid)
    open.add(netns)
    expect(linkOf(netns)).toBe(readlinkSync(`/proc/${sleeper.pid}/ns/net`))
  } finally {
    await sleeper.killed()
  }
  expect(inside(netns, 'readlink', '/proc/self/ns/net').trim()).toBe(linkOf(netns))
  await expect(Netns.of(sleeper.pid)).rejects.toMatchObject({
    code: 'ENOENT',
    hint: expect.stringMatching(/has ended/),
  })
})

test('a name keeps a namespace without a process or descriptor, is listed, opened, and deleted', needs, async () => {
  const netns = await create('blue')
  const link = linkOf(netns)
  netns.close()
  await create('a b')
  const listed = await Netns.list({ directory })
  expect(listed.map(({ name }) => name)).toEqual(['a b', 'blue'])
  expect(`net:[${listed[1]?.inode}]`).toBe(link)
  expect(listed[1]?.path).toBe(`${directory}/blue`)
  using again = await Netns.of(`${directory}/blue`)
  expect(linkOf(again)).toBe(link)

  await expect(Netns.create({ name: 'blue', directory })).rejects.toMatchObject({ code: 'EEXIST' })
  expect(await Netns.delete('blue', { directory })).toBe(true)
  expect(await Netns.delete('blue', { directory })).toBe(false)
  expect(existsSync(`${directory}/blue`)).toBe(false)
  // Held by the descriptor alone now, it can get another name.
  expect(await again.pin('green', { directory })).toBe(`${directory}/green`)
  using green = await Netns.of(`${directory}/green`)
  expect(linkOf(green)).toBe(link)
  expect((await Netns.list({ directory })).map(({ name }) => name)).toEqual(['a b', 'green'])
})

test(
  'of many who take one name one gets it; the directory becomes one mount, and nothing is mounted twice',
  needs,
  async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => create('one')))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'EEXIST' })
    await Promise.all(Array.from({ length: 8 }, (_, i) => create(`many-${i}`)))
    // Where what is below is shared, as systemd has it, the kernel mounts there, too: as it does for ip-netns(8).
    const below = execFileSync('findmnt', ['-n', '-o', 'PROPAGATION', '-T', place.path], { encoding: 'utf8' })
    const each = below.startsWith('shared') ? 2 : 1
    expect(['', '/one', '/many-3'].map(name => mountsAt(`${directory}${name}`))).toEqual([1, each, each])
    const deleted = await Promise.all(Array.from({ length: 4 }, () => Netns.delete('one', { directory })))
    expect(deleted.filter(Boolean)).toHaveLength(1)
  },
)

test('processes that make the first names at the same time do not stack mounts', needs, async () => {
  const script = `
    import { Netns } from '${module}'
    for (let i = 0; i < 5; i++) (await Netns.create({ name: process.argv[1] + i, directory: '${directory}' })).close()`
  const makers = ['a', 'b', 'c'].map(
    name => new Running(spawn(process.execPath, ['--input-type=module', '-e', script, name])),
  )
  try {
    for (const maker of makers) expect([await maker.ended(), maker.stderr]).toEqual([0, ''])
  } finally {
    for (const maker of makers) await maker.killed()
  }
  expect(mountsAt(directory)).toBe(1)
  const listed = await Netns.list({ directory })
  expect(new Set(listed.map(({ inode }) => inode)).size).toBe(15)
})

test('what stands in the place of a name stays, unless it is the empty file of who was killed', needs, async () => {
  mkdirSync(directory)
  writeFileSync(`${directory}/file`, 'mine')
  writeFileSync(`${directory}/left`, '')
  symlinkSync('/proc/self/ns/net', `${directory}/link`)
  mkdirSync(`${directory}/folder`)
  await expect(Netns.create({ name: 'left', directory })).rejects.toMatchObject({
    code: 'EEXIST',
    hint: expect.stringMatching(/netns delete/),
  })
  await expect(Netns.delete('file', { directory })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(Netns.delete('folder', { directory })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  expect(await Netns.delete('link', { directory })).toBe(false)
  expect(await Netns.delete('left', { directory })).toBe(true)
  expect(readdirSync(directory).sort()).toEqual(['file', 'folder', 'link'])
  expect(await Netns.list({ directory })).toEqual([{ name: 'file', path: `${directory}/file`, inode: undefined }])
  // The test's own clean-up deletes names, and refuses this one.
  writeFileSync(`${directory}/file`, '')
})

test(
  'NL-22 what is no network namespace is refused by field and remedy, and no descriptor is left',
  needs,
  async () => {
    const before = readdirSync('/proc/self/fd').length
    await expect(Netns.of('/proc/self/ns/uts')).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'namespace',
      message: expect.stringMatching(/another kind/),
    })
    await expect(Netns.of('/dev/null')).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringMatching(/no namespace/),
    })
    await expect(Netns.of('no-such-name-of-anybody')).rejects.toMatchObject({
      code: 'ENOENT',
      hint: expect.stringMatching(/netns list/),
    })
    await expect(Netns.create({ name: 'a/b', directory })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'name',
    })
    await expect(Netns.create({ signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more')
    expect(await Netns.list({ directory: `${place.path}/none` })).toEqual([])
    expect([readdirSync('/proc/self/fd').length, existsSync(directory)]).toEqual([before, false])
  },
)

test(
  'NL-22 without the right it is EPERM, and says what it needs',
  requires('root', 'reachable', 'namespace:net'),
  () => {
    const script = `
    import { Netns } from '${module}'
    await Netns.create().catch(error => console.log(error.code, error.hint))`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: 65534,
      gid: 65534,
      cwd: '/',
      encoding: 'utf8',
    })
    expect([run.stdout, run.stderr]).toEqual([expect.stringMatching(/^EPERM .*CAP_SYS_ADMIN/), ''])
  },
)

test('NL-22 numbers of namespaces, each as ip(8) has it', requires('root', 'namespace:net', 'program:ip'), async () => {
  const [around, blue, green] = [await create(), await create('blue'), await create()]
  const socket = await NetlinkSocket.open({ namespace: pathOf(around) })
  try {
    const numbers = new NamespaceIds(socket)
    expect(await numbers.get(blue)).toBeUndefined()
    expect(await numbers.set(blue, 7)).toBe(7)
    expect(await numbers.get({ path: `${directory}/blue` })).toBe(7)
    const chosen = await numbers.set(green, 'auto')
    expect(chosen).not.toBe(7)
    expect(chosen).toBeGreaterThanOrEqual(0)
    const listed = [...(await numbers.list())].sort()
    expect(listed).toEqual([7, chosen].sort())
    const theirs = JSON.parse(inside(around, 'ip', '-j', 'netns', 'list-id')) as { nsid: number }[]
    expect(theirs.map(({ nsid }) => nsid).sort()).toEqual(listed)

    await expect(numbers.set(blue, 8)).rejects.toMatchObject({ code: 'EEXIST', hint: expect.stringMatching(/keeps/) })
    await expect(numbers.set(around, 7)).rejects.toMatchObject({ code: 'EEXIST' })
    for (const id of [-1, 1.5, 2 ** 31])
      await expect(numbers.set(around, id)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'id' })
  } finally {
    socket.close()
  }
})
