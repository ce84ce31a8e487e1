import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import {
  enter,
  inspectNamespace,
  listNamespaces,
  makeNamespaces,
  namespaceKinds,
  type Program,
  pinNamespace,
  pinnedNamespaces,
  unpinNamespace,
  unshare,
} from '@libcontainer/namespaces'
import type { OwnedFd } from '@libcontainer/sys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root', 'namespace:user', 'namespace:time')
let place: TemporaryDirectory
const fds = new Set<OwnedFd>()
const programs = new Set<Program>()

beforeEach(() => {
  place = temporaryDirectory('pins with blanks-')
})
afterEach(async () => {
  for (const fd of fds) fd.close()
  fds.clear()
  for (const program of programs) await program[Symbol.asyncDispose]()
  programs.clear()
  for (const { path } of await pinnedNamespaces(place.path)) await unpinNamespace(path)
  place[Symbol.dispose]()
})

async function namespace(kind: 'net' | 'uts' | 'mnt'): Promise<OwnedFd> {
  const fd = (await makeNamespaces({ namespaces: [kind] })).get(kind)!
  fds.add(fd)
  return fd
}

/** Makes a namespace that nothing else keeps. */
async function pinnedNet(name: string): Promise<string> {
  const path = `${place.path}/${name}`
  const fd = await namespace('net')
  await pinNamespace(fd, 'net', path)
  fd.close()
  return path
}

const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')

test(
  'NS-21 a pinned namespace outlives its processes, is listed, joined by its path, and released',
  needs,
  async () => {
    const before = mounts()
    const program = await unshare({ namespaces: ['net', 'uts'] }, ['sleep', '1000'], { stdio: 'null' })
    programs.add(program)
    const [net, uts] = ['net', 'uts'].map(kind => readlinkSync(`/proc/${program.pid}/ns/${kind}`))
    const path = `${place.path}/blue`
    const pin = await pinNamespace(program.pid, 'net', path)
    expect(pin).toMatchObject({ kind: 'net', path, ownerUid: 0 })
    await pinNamespace(`/proc/${program.pid}/ns/uts`, 'uts', `${place.path}/green`)
    await program[Symbol.asyncDispose]()

    expect((await pinnedNamespaces(place.path)).map(({ kind, inode }) => `${kind}:[${inode}]`)).toEqual([net, uts])
    const listed = (await listNamespaces(['net'])).find(({ inode }) => inode === pin.inode)
    expect(listed).toMatchObject({ kind: 'net', processes: 0, pid: undefined, paths: [path] })
    const inside = await enter({ paths: { net: path } }, ['readlink', '/proc/self/ns/net'], { stdio: 'pipe' })
    expect((await inside.output()).stdout.trim()).toBe(net)

    expect(await unpinNamespace(path)).toBe(true)
    expect([existsSync(path), await unpinNamespace(path)]).toEqual([false, false])
    expect(await unpinNamespace(`${place.path}/green`)).toBe(true)
    expect([mounts(), await pinnedNamespaces(place.path)]).toEqual([before, []])
    expect((await listNamespaces(['net'])).some(({ inode }) => inode === pin.inode)).toBe(false)
  },
)

test('NS-21 of many who pin at one path one succeeds, and the others say that something is there', needs, async () => {
  const path = `${place.path}/one`
  const made = await Promise.all(Array.from({ length: 6 }, () => namespace('uts')))
  const results = await Promise.allSettled(made.map(fd => pinNamespace(fd, 'uts', path)))
  const taken = results.flatMap(result => (result.status === 'fulfilled' ? [result.value.inode] : []))
  expect(taken.length).toBe(1)
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'EEXIST' })
  expect((await pinnedNamespaces(place.path)).map(({ inode }) => inode)).toEqual(taken)
  // Nothing is mounted twice: one release is enough, and of many one does it.
  const released = await Promise.all(Array.from({ length: 6 }, () => unpinNamespace(path)))
  expect(released.filter(Boolean).length).toBe(1)
  for (let round = 0; round < 10; round++) {
    const [pin, ...others] = await Promise.all([
      pinNamespace(made[0]!, 'uts', path),
      ...Array.from({ length: 4 }, () => unpinNamespace(path)),
    ])
    expect([pin.path, others.filter(Boolean).length <= 1]).toEqual([path, true])
    await unpinNamespace(path)
  }
  expect(readdirSync(place.path)).toEqual([])
})

test('NS-21 what is there already stays, and so does what is no namespace', needs, async () => {
  const path = `${place.path}/file`
  writeFileSync(path, 'mine')
  await expect(pinNamespace('self', 'net', path)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(unpinNamespace(path)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'path' })
  expect(readFileSync(path, 'utf8')).toBe('mine')
  const target = await pinnedNet('target')
  symlinkSync(target, `${place.path}/link`)
  expect(await unpinNamespace(`${place.path}/link`)).toBe(false)
  await expect(pinNamespace('self', 'net', `${place.path}/link`)).rejects.toMatchObject({ code: 'EEXIST' })
  expect((await pinnedNamespaces(place.path)).map(pin => pin.path)).toEqual([target])
})

test('NS-21 EV-033 EV-034 a pin of another kind, or at no place, is refused and leaves nothing', needs, async () => {
  const path = `${place.path}/x`
  const fd = await namespace('uts')
  await expect(pinNamespace(fd, 'net', path)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'kind' })
  await expect(pinNamespace('/proc/self/ns/uts', 'net', path)).rejects.toThrow(/is a uts namespace/)
  await expect(pinNamespace('self', 'network' as 'net', path)).rejects.toMatchObject({ hint: "write 'net'" })
  await expect(pinNamespace('self', 'net', 'x')).rejects.toMatchObject({ field: 'path' })
  await expect(pinNamespace('self', 'net', `${place.path}/..`)).rejects.toMatchObject({ field: 'path' })
  await expect(pinNamespace('self', 'net', `${place.path}/none/x`)).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(pinnedNamespaces('relative')).rejects.toMatchObject({ field: 'directory' })
  expect(await pinnedNamespaces(`${place.path}/none`)).toEqual([])
  expect(await unpinNamespace(`${place.path}/none/x`)).toBe(false)
  expect(readdirSync(place.path)).toEqual([])
  expect((await inspectNamespace(fd)).kind).toBe('uts')
})

test(
  'NS-21 a mount namespace is pinned where that is possible; where not, nothing is left and the remedy said',
  requires('root', 'namespace:user', 'namespace:time', 'program:taskset', 'program:unshare'),
  async () => {
    const path = `${place.path}/mnt`
    // It is our own, and so not younger than ours: the kernel would tie a knot.
    await expect(pinNamespace('self', 'mnt', path)).rejects.toMatchObject({
      code: 'ELOOP',
      hint: expect.stringMatching(/older than it/),
    })
    expect(existsSync(path)).toBe(false)
    // In a mount namespace of its own, whose mounts are private: that of the host may be shared.
    const module = new URL('../dist/index.js', import.meta.url).href
    const script = `
    import { enter, makeNamespaces, pinNamespace, unpinNamespace } from '${module}'
    const fds = await makeNamespaces({ namespaces: ['mnt'] })
    const { inode } = await pinNamespace(fds.get('mnt'), 'mnt', '${path}')
    fds.get('mnt').close()
    const program = await enter({ paths: { mnt: '${path}' } }, ['readlink', '/proc/self/ns/mnt'], { stdio: 'pipe' })
    console.log((await program.output()).stdout.trim() === \`mnt:[\${inode}]\`, await unpinNamespace('${path}'))`
    // On one processor: Linux 6.18 knows which is older by numbers of which each has its own, so that mount(8) fails now and then, too.
    const processor = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
    const words = `-c ${processor} unshare --mount --propagation private ${process.execPath} --input-type=module -e`
    expect(execFileSync('taskset', [...words.split(' '), script], { encoding: 'utf8' })).toBe('true true\n')
  },
)

test('NS-22 the namespaces of the host: kind, owner, first process, how many there are', needs, async () => {
  const map = [{ containerId: 0, hostId: 100000, size: 1 }]
  const config = { namespaces: namespaceKinds, uidMappings: map, gidMappings: map }
  const program = await unshare(config, ['sh', '-c', 'sleep 1000 & wait'], { stdio: 'null' })
  programs.add(program)
  const all = await listNamespaces()
  const own = all.filter(({ pid }) => pid === program.pid)
  expect(own.map(({ kind }) => kind)).toEqual(namespaceKinds)
  const user = own[0]!
  const host = all.find(({ kind, inode }) => kind === 'user' && inode === user.parent)!
  expect(user).toMatchObject({ ownerUid: 0, uid: 100000, command: 'sh -c sleep 1000 & wait', paths: [] })
  expect(`user:[${host.inode}]`).toBe(readlinkSync('/proc/self/ns/user'))
  for (const each of own.slice(1)) expect(each.userNamespace).toBe(user.inode)
  const ours = all.find(({ kind, inode }) => `${kind}:[${inode}]` === readlinkSync('/proc/self/ns/net'))!
  expect(ours.processes).toBeGreaterThan(0)
  expect(ours.pid).toBeLessThanOrEqual(process.pid)
  // Each process is in one namespace of each kind.
  const sum = (wanted: string): number =>
    all.filter(({ kind }) => kind === wanted).reduce((n, { processes }) => n + processes, 0)
  expect(Math.abs(sum('uts') - sum('ipc'))).toBeLessThan(20)
  expect((await listNamespaces(['uts', 'ipc'])).every(({ kind }) => kind === 'uts' || kind === 'ipc')).toBe(true)
})

test('NS-22 lsns tells the same', requires('root', 'program:lsns'), async () => {
  const program = await unshare({ namespaces: ['net', 'uts', 'pid', 'mnt'] }, ['sleep', '1000'], { stdio: 'null' })
  programs.add(program)
  const lines = execFileSync('lsns', ['-n', '-r', '-p', String(program.pid), '-o', 'TYPE,NS,NPROCS,PID'], {
    encoding: 'utf8',
  })
  const ours = (await listNamespaces()).filter(({ pid }) => pid === program.pid)
  const theirs = lines
    .trim()
    .split('\n')
    .filter(line => line.endsWith(` ${program.pid}`))
  expect(ours.map(({ kind, inode, processes, pid }) => `${kind} ${inode} ${processes} ${pid}`).sort()).toEqual(
    theirs.sort(),
  )
  expect(ours.length).toBe(4)
})
