import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  currentGroup,
  currentUser,
  lookupGid,
  lookupGroup,
  lookupUid,
  lookupUser,
  NoGroupEntries,
  NoPasswdEntries,
  subGids,
  subUids,
} from '@libcontainer/user'
import { expect, test } from 'vitest'

test('US-02 the host: the same as getent(1) says', async () => {
  const root = execFileSync('getent', ['passwd', 'root'], { encoding: 'utf8' }).trim().split(':')
  expect(await lookupUser('root')).toEqual({
    name: root[0],
    password: root[1],
    uid: Number(root[2]),
    gid: Number(root[3]),
    gecos: root[4],
    home: root[5],
    shell: root[6],
  })
  expect((await lookupUid(0)).name).toBe('root')
  expect((await lookupGroup('root')).gid).toBe(0)
  expect((await lookupGid(0)).name).toBe('root')
})

test('US-02 this process', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'user-lookup-'))
  const files = { passwd: join(directory, 'passwd'), group: join(directory, 'group') }
  try {
    writeFileSync(files.passwd, `other:x:4000000:1\nme:x:${process.getuid?.()}:2::/home/me\n`)
    writeFileSync(files.group, `other:x:4000000:\nours:x:${process.getgid?.()}:\n`)
    expect(await currentUser(files)).toMatchObject({ name: 'me', home: '/home/me' })
    expect(await currentGroup(files)).toMatchObject({ name: 'ours' })
    await expect(lookupUser('them', files)).rejects.toThrow(NoPasswdEntries)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('US-02 nobody found: an error of its own, as with a missing file', async () => {
  const missing = { passwd: '/nonexistent/passwd', group: '/nonexistent/group' }
  await expect(lookupUser('no such user')).rejects.toMatchObject({ code: 'NoPasswdEntries' })
  await expect(lookupUid(4294967200)).rejects.toThrow(NoPasswdEntries)
  await expect(currentUser(missing)).rejects.toThrow(NoPasswdEntries)
  await expect(lookupGroup('no such group')).rejects.toMatchObject({ code: 'NoGroupEntries' })
  await expect(lookupGid(4294967200)).rejects.toThrow(NoGroupEntries)
  await expect(currentGroup(missing)).rejects.toThrow(NoGroupEntries)
})

test('US-06 files of the host', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'user-subids-'))
  const path = join(directory, 'subuid')
  try {
    writeFileSync(path, 'me:100000:65536\n')
    expect(await subUids({ name: 'me' }, path)).toEqual([{ user: 'me', start: 100000, count: 65536 }])
    expect(await subGids({ uid: 1 }, path)).toEqual([])
    expect(await subGids({ name: 'me' }, join(directory, 'absent'))).toEqual([])
    await expect(subUids({ name: 'me' }, directory)).rejects.toMatchObject({ code: 'EISDIR' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
