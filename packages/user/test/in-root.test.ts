import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDirectory, secureJoin } from '@libcontainer/sys'
import { getAdditionalGroupsInRoot, getExecUser, getExecUserInRoot, probe } from '@libcontainer/user'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  compileExchanger,
  race,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'

let place: TemporaryDirectory
let root: string

beforeEach(() => {
  place = temporaryDirectory('user-root-')
  root = join(place.path, 'root')
  mkdirSync(join(root, 'etc'), { recursive: true })
})
afterEach(() => place[Symbol.dispose]())

const refused = (problem: string) =>
  expect.objectContaining({ code: 'ConfigInvalid', field: 'rootfs', message: expect.stringContaining(problem) })

test('US-05 users and groups of a root filesystem', async () => {
  writeFileSync(join(root, 'etc/passwd'), 'web:x:33:33::/var/www:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'logs:x:44:web\n')
  expect(await getExecUserInRoot(root, 'web')).toEqual({ uid: 33, gid: 33, groups: [44], home: '/var/www' })
  expect(await getAdditionalGroupsInRoot(root, ['logs', 5])).toEqual([44, 5])
  const directory = await openDirectory(root, { handle: true })
  expect((await getExecUserInRoot(directory, '7:logs')).gid).toBe(44)
  expect(directory.closed).toBe(false)
  directory.close()
})

test('US-05 missing files are empty ones', async () => {
  expect(await getExecUserInRoot(root, '5:6')).toEqual({ uid: 5, gid: 6, groups: [], home: '/' })
  await expect(getExecUserInRoot(root, 'web')).rejects.toEqual(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'user' }),
  )
  await expect(getAdditionalGroupsInRoot(root, ['logs'])).rejects.toEqual(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'additionalGroups[0]' }),
  )
})

test('US-05 a link leads to a file of the image, never of the host', async () => {
  writeFileSync(join(place.path, 'passwd'), 'intruder:x:0:0:::\n')
  symlinkSync('../../passwd', join(root, 'etc/passwd'))
  await expect(getExecUserInRoot(root, 'intruder')).rejects.toEqual(expect.objectContaining({ field: 'user' }))
  writeFileSync(join(root, 'passwd'), 'intruder:x:9:9:::\n')
  expect((await getExecUserInRoot(root, 'intruder')).uid).toBe(9)
})

test('TS-05 US-05 a passwd file that is exchanged for a link to the host’s all the time is never the host’s', {
  ...requires('program:gcc'),
  timeout: 120_000,
}, async () => {
  writeFileSync(join(place.path, 'passwd'), 'web:x:0:0:::\n')
  writeFileSync(join(root, 'etc/passwd'), 'web:x:33:33:::\n')
  symlinkSync('../../passwd', join(root, 'etc/link'))
  const exchanger = compileExchanger(place.path)
  const pair = ['passwd', 'link'].map(name => join(root, 'etc', name)) as [string, string]
  /** The uids that a way of asking has told; the link's file is not there in the root. */
  const uids = async (ask: () => Promise<number>, attempts: number): Promise<number[]> => {
    const told = new Set<number>()
    await race(
      exchanger,
      pair,
      async () => {
        try {
          told.add(await ask())
        } catch (error) {
          expect((error as Error).message).toMatch(/no user 'web'|ENOENT/)
        }
        return !told.has(0)
      },
      { attempts },
    )
    return [...told]
  }
  expect(await uids(async () => (await getExecUserInRoot(root, 'web')).uid, 1000)).toEqual([33])
  // Its weakened twin finds out where the path leads, and goes there by name.
  const byName = async () => getExecUser('web', {}, readFileSync(await secureJoin(root, 'etc/passwd'), 'utf8')).uid
  expect(await uids(byName, 50_000)).toContain(0)
})

test('US-05 EV-116 a directory, a FIFO, a device, a huge file: refused at once', async () => {
  mkdirSync(join(root, 'etc/passwd'))
  await expect(getExecUserInRoot(root, 'x')).rejects.toEqual(refused('is a directory'))
  execFileSync('mkfifo', [join(root, 'etc/group')])
  await expect(getAdditionalGroupsInRoot(root, ['x'])).rejects.toEqual(refused('is a fifo'))
  const huge = join(place.path, 'huge')
  mkdirSync(join(huge, 'etc'), { recursive: true })
  writeFileSync(join(huge, 'etc/group'), '')
  truncateSync(join(huge, 'etc/group'), 2 ** 40)
  await expect(getAdditionalGroupsInRoot(huge, ['x'])).rejects.toEqual(refused('must not be larger'))
})

test('US-05 files of millions of lines take no more memory than they are long', () => {
  const mega = 2 ** 20
  writeFileSync(join(root, 'etc/passwd'), `${'a\n'.repeat(8 * mega - 16)}web:x:33:33:::\n`)
  writeFileSync(join(root, 'etc/group'), `${'a:x:1:web\n'.repeat(100_000)}logs:x:44:web\n`)
  const script = `
    import { getExecUserInRoot } from '@libcontainer/user'
    console.log(JSON.stringify(await getExecUserInRoot(${JSON.stringify(root)}, 'web')))`
  // What an object for each line would need is twenty times that.
  const args = ['--max-old-space-size=96', '--input-type=module', '-e', script]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ uid: 33, gid: 33, groups: [1, 44], home: '/' })
})

test('US-06 D-10 probe says which files there are, and what is lent to this user', async () => {
  expect(await probe()).toMatchObject({
    passwd: { available: true },
    group: { available: true },
    user: { available: true, detail: execFileSync('id', ['-un'], { encoding: 'utf8' }).trim() },
  })
})
