import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import {
  addKey,
  addKeyring,
  changeKeyOwner,
  clearKeyring,
  describeKey,
  hasKeys,
  invalidateKey,
  keyCapabilities,
  keyringId,
  linkKey,
  modifyKeyPermissions,
  moveKey,
  parseKeyPermissions,
  persistentKeyring,
  probe,
  readKey,
  readKeyring,
  requestKey,
  revokeKey,
  searchKeyring,
  setKeyPermissions,
  setKeyTimeout,
  unlinkKey,
  updateKey,
} from '@libcontainer/keys'
import { isErrno } from '@libcontainer/sys'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'

const needs = requires('root')
const code = (name: string) => expect.objectContaining({ code: name })
const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const text = async (key: number): Promise<string> => new TextDecoder().decode(await readKey(key))

/** A keyring of the test's own, in which all is that it makes. */
const name = `libcontainer-test-${process.pid}`
let ring: number
if (!needs.skip) {
  beforeEach(async () => {
    ring = await addKeyring(name, 'session')
  })
  afterEach(async () => {
    await clearKeyring(ring)
    await unlinkKey(ring, 'session')
    expect(await readKeyring('session')).not.toContain(ring)
  })
}

describe('KY-05 keys', needs, () => {
  test('one is added, found, read, updated, described, and gone when it is in no keyring', async () => {
    const key = await addKey('user', 'token', 'secret', ring)
    expect(key).toBeGreaterThan(0)
    expect(await readKeyring(ring)).toEqual([key])
    expect(await text(key)).toBe('secret')
    expect(await searchKeyring(ring, 'user', 'token')).toBe(key)
    expect(await searchKeyring('session', 'user', 'token')).toBe(key)
    expect(await searchKeyring(ring, 'user', 'other')).toBeUndefined()
    expect(await requestKey('user', 'token')).toBe(key)
    expect(await requestKey('user', 'nowhere')).toBeUndefined()
    await updateKey(key, new Uint8Array([1, 0, 255]))
    expect([...(await readKey(key))]).toEqual([1, 0, 255])
    // The same again is the same key, with another payload.
    expect(await addKey('user', 'token', 'later', ring)).toBe(key)
    expect(await text(key)).toBe('later')
    expect(await describeKey(key)).toMatchObject({ type: 'user', uid: 0, description: 'token' })
    expect(await describeKey(ring)).toMatchObject({ type: 'keyring', description: name })
    await unlinkKey(key, ring)
    expect(await readKeyring(ring)).toEqual([])
    await expect(unlinkKey(key, ring)).rejects.toEqual(code('ENOENT'))
  })

  test('payloads of any size that its type takes; longer ones are the kernel’s or ours to refuse', async () => {
    const long = new Uint8Array(32767).map((_, i) => i)
    const key = await addKey('user', 'long', long, ring)
    expect(await readKey(key)).toEqual(long)
    await expect(addKey('user', 'longer', new Uint8Array(32768), ring)).rejects.toEqual(code('EINVAL'))
    await expect(addKey('user', 'longest', new Uint8Array(2 ** 20), ring)).rejects.toEqual(refused('payload'))
    // Many keys: read again with the room that the kernel asks for.
    for (let i = 0; i < 300; i++) await addKey('user', `k${i}`, 'x', ring)
    expect(await readKeyring(ring)).toHaveLength(301)
  })

  test('a logon key is never read', async () => {
    const key = await addKey('logon', 'service:name', 'secret', ring)
    await expect(readKey(key)).rejects.toEqual(expect.objectContaining({ code: 'EOPNOTSUPP', syscall: 'keyctl(READ)' }))
    await expect(addKey('logon', 'no-colon', 'secret', ring)).rejects.toEqual(code('EINVAL'))
    await expect(addKey('no-such-type', 'x', 'x', ring)).rejects.toEqual(code('ENODEV'))
  })

  test('revoked, expired and invalidated ones are errors of their own', async () => {
    const [one, two, three] = [
      await addKey('user', 'one', '1', ring),
      await addKey('user', 'two', '2', ring),
      await addKey('user', 'three', '3', ring),
    ]
    await revokeKey(one)
    await expect(readKey(one)).rejects.toEqual(code('EKEYREVOKED'))
    await expect(requestKey('user', 'one')).rejects.toEqual(code('EKEYREVOKED'))
    await setKeyTimeout(two, 1000)
    expect(await text(two)).toBe('2')
    await setKeyTimeout(two, 1)
    const answer = async (): Promise<string> => {
      try {
        return await text(two)
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    let last = ''
    await until('an expired key', () => {
      void answer().then(said => {
        last = said
      })
      return last !== '' && last !== '2'
    })
    // Expired, or collected since.
    expect(['EKEYEXPIRED', 'ENOKEY', 'EACCES']).toContain(last)
    await invalidateKey(three)
    // Useless at once, and taken out of keyrings by a thread of the kernel.
    await expect(readKey(three)).rejects.toMatchObject({ code: expect.stringMatching(/ENOKEY|EKEYREVOKED|EACCES/) })
  })

  test('links: found by the way, replaced by name, moved, and a keyring that would hold itself is refused', async () => {
    const [below, other] = [await addKeyring('below', ring), await addKeyring('other', ring)]
    const key = await addKey('user', 'deep', 'x', below)
    expect(await searchKeyring(ring, 'user', 'deep')).toBe(key)
    expect(await searchKeyring(ring, 'user', 'deep', { linkTo: other })).toBe(key)
    expect(await readKeyring(other)).toEqual([key])
    const same = await addKey('user', 'deep', 'y', ring)
    await linkKey(same, other)
    expect(await readKeyring(other)).toEqual([same])
    if (keyCapabilities().includes('move-key')) {
      await expect(moveKey(key, below, other, { exclusive: true })).rejects.toEqual(code('EEXIST'))
      await moveKey(key, below, other)
      expect([await readKeyring(below), await readKeyring(other)]).toEqual([[], [key]])
    }
    await expect(linkKey(ring, below)).rejects.toEqual(code('EDEADLK'))
    await clearKeyring(other)
    expect(await readKeyring(other)).toEqual([])
  })

  test('what is asked for without sense is refused before the kernel is asked', async () => {
    for (const type of ['', '.own', 'x'.repeat(32), 'a\0'])
      await expect(addKey(type, 'x', 'x', ring), type).rejects.toEqual(refused('type'))
    for (const description of ['', 'x'.repeat(4096), 'a\0', 'a\ud800'])
      await expect(addKey('user', description, 'x', ring), description).rejects.toEqual(refused('description'))
    await expect(addKeyring('.hidden', ring)).rejects.toEqual(refused('description'))
    for (const keyring of [0, -3, 1.5, 2 ** 31, 'thread', '', undefined] as never[])
      await expect(readKeyring(keyring), String(keyring)).rejects.toEqual(refused('keyring'))
    await expect(readKey('session' as never)).rejects.toEqual(refused('key'))
    await expect(setKeyTimeout(ring, -1)).rejects.toEqual(refused('seconds'))
    await expect(changeKeyOwner(ring, { uid: 2 ** 32 - 1 })).rejects.toEqual(refused('uid'))
    await expect(addKey('user', 'x', 7 as never, ring)).rejects.toEqual(refused('payload'))
    await expect(readKey(0x7ffffff1)).rejects.toEqual(code('ENOKEY'))
    expect(await readKeyring(ring)).toEqual([])
  })

  test('what is asked for may be linked at once, and what nobody can make is not there', async () => {
    const [from, to] = [await addKeyring('from', ring), await addKeyring('to', ring)]
    const key = await addKey('user', 'wanted', 'x', from)
    expect(await requestKey('user', 'wanted', { linkTo: to })).toBe(key)
    expect(await readKeyring(to)).toEqual([key])
    const made = requestKey('user', 'made-by-nobody', { callout: 'please', linkTo: to })
    if (existsSync('/sbin/request-key')) expect(await made).toBeUndefined()
    else await expect(made).rejects.toEqual(code('ENOENT'))
    await expect(requestKey('user', 'x', { callout: 'a\0' })).rejects.toEqual(refused('callout'))
    await expect(requestKey('user', 'x', { linkTo: 'nowhere' as never })).rejects.toEqual(refused('linkTo'))
  })

  test('a wait for a key is given up, and what was given up before is not begun', async () => {
    const abort = new AbortController()
    abort.abort(new Error('enough'))
    await expect(requestKey('user', 'nowhere', { signal: abort.signal })).rejects.toThrow('enough')
    expect(await requestKey('user', 'nowhere', { signal: new AbortController().signal })).toBeUndefined()
  })
})

test('KY-03 permissions are changed to what they are, less and more; and then hold', needs, async () => {
  const key = await addKey('user', 'guarded', 'x', ring)
  const before = (await describeKey(key)).permissions
  expect(parseKeyPermissions(before)).toMatchObject({ group: [], other: [] })
  const all = 0x3f3f3f3f
  expect(await modifyKeyPermissions(key, all, { user: ['search'], other: ['search'] })).toBe(before | 0x080008)
  expect((await describeKey(key)).permissions).toBe(before | 0x080008)
  expect(await modifyKeyPermissions(key, all & ~0x080008, 0)).toBe(before & ~0x080008)
  // To have a key is to be permitted to find it; who is not, is its owner at most.
  await setKeyPermissions(key, { possessor: ['read'], user: ['view', 'setattr'] })
  await expect(readKey(key)).rejects.toEqual(code('EACCES'))
  await setKeyPermissions(key, { user: ['view', 'setattr', 'read'] })
  expect(await text(key)).toBe('x')
  await setKeyPermissions(key, before)
  await changeKeyOwner(key, { uid: 1234, gid: 5678 })
  expect(await describeKey(key)).toMatchObject({ uid: 1234, gid: 5678 })
  expect(readFileSync('/proc/key-users', 'utf8')).toMatch(/^ *1234: /m)
})

test('KY-05 every process has a session keyring, one of its user and one of its user’s session', needs, async () => {
  const [session, user, userSession] = [
    await keyringId('session'),
    await keyringId('user'),
    await keyringId('user-session'),
  ]
  expect(session).toBeGreaterThan(0)
  expect((await describeKey(user)).description).toBe('_uid.0')
  expect((await describeKey(userSession)).description).toBe('_uid_ses.0')
  expect(await readKeyring('user-session')).toContain(user)
  expect(await keyringId(ring)).toBe(ring)
})

test(
  'KY-05 a persistent keyring is the user’s, whoever asks; without the feature the kernel says so',
  needs,
  async () => {
    try {
      const kept = await persistentKeyring(ring)
      expect(await readKeyring(ring)).toEqual([kept])
      expect((await describeKey(kept)).description).toBe('_persistent.0')
      expect(keyCapabilities()).toContain('persistent-keyrings')
    } catch (error) {
      if (!isErrno(error, 'EOPNOTSUPP')) throw error
      expect(keyCapabilities()).not.toContain('persistent-keyrings')
    }
  },
)

test('D-10 probe: what the kernel’s keys can do', needs, async () => {
  expect(hasKeys()).toBe(true)
  expect(await probe()).toMatchObject({
    keys: { available: true },
    session: { available: true, detail: expect.stringMatching(/^serial number \d+$/) },
    invalidate: { available: true },
  })
})

test('D-04 no thread of this process has another session keyring afterwards', needs, async () => {
  const script = `
    import { addKeyring, keyringId, unlinkKey } from '@libcontainer/keys'
    const made = await addKeyring('libcontainer-test-threads', 'session')
    const seen = new Set(await Promise.all(Array.from({ length: 40 }, () => keyringId('session'))))
    await unlinkKey(made, 'session')
    console.log(seen.size)`
  const run = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname })
  expect(String(run).trim()).toBe('1')
})
