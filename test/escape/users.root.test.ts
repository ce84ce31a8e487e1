import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Request } from '@libcontainer/init'
import { getExecUser, IdOutOfRange } from '@libcontainer/user'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { Jail } from './jail.js'

const needs = requires('root', 'rootfs')

let jail: Jail

beforeAll(async () => {
  jail = await Jail.open()
})
afterAll(async () => await jail[Symbol.asyncDispose]())
beforeEach(() => {
  jail.directory('etc')
  jail.victim.restore()
})

const script = 'id -u; id -g; echo $HOME'
const env = ['PATH=/bin']

/** Who runs, by a look-up that believes the image: names first, and digits that are no id are a name. */
const believing =
  (name: string, passwd?: string) =>
  ({ files: [file] }: Request) => {
    const text = passwd ?? new TextDecoder().decode(file as Uint8Array)
    const entry = text
      .split('\n')
      .map(line => line.split(':'))
      .find(fields => fields[0] === name)
    const [uid, gid] = [Number(entry?.[2] ?? name), Number(entry?.[3] ?? 0)]
    return { integers: { uid, gid }, bytes: { groups: new Uint8Array(0), home: 'HOME=/\0' } }
  }

test(
  'CVE-2016-3697 a user by its number, and an image whose passwd has that number as a name of root',
  needs,
  async () => {
    jail.file('etc/passwd', '1000:x:0:0::/root:/bin/sh\n01000:x:0:0::/root:/bin/sh\n')
    jail.file('etc/group', '1000:x:0:\n')
    const weak = await jail.run(script, { spec: { user: '1000', env }, answers: { user: believing('1000') } })
    expect(weak.stdout).toMatch(/^0\n0\n/)
    for (const user of ['1000', '01000', '1000:1000', { uid: 1000, gid: 1000 }] as const) {
      const real = await jail.run(script, { spec: { user, env } })
      expect(real.stdout).toMatch(/^1000\n(0|1000)\n\/\n$/)
    }
    const group = await jail.run('id -G', { spec: { user: { uid: 7, gid: 7 }, additionalGroups: ['1000'], env } })
    expect(group.stdout).toBe('7 1000\n')
  },
)

test(
  'CVE-2026-46680 a number that is too long, and an image whose passwd has it as a name of root',
  needs,
  async () => {
    for (const number of ['4294967296000', '4294967296', '18446744073709551616']) {
      jail.file('etc/passwd', `${number}:x:0:0::/root:/bin/sh\n`)
      jail.file('etc/group', `${number}:x:0:\n`)
      const weak = await jail.run(script, { spec: { user: number, env }, answers: { user: believing(number) } })
      expect(weak.stdout).toMatch(/^0\n/)
      for (const user of [number, `0:${number}`, `${number}:0`]) {
        const refusal = await jail.run(script, { spec: { user, env } }).then(
          ({ refused }) => refused,
          error => error,
        )
        expect(refusal).toBeInstanceOf(IdOutOfRange)
      }
    }
  },
)

test('CVE-2026-30892 who runs, in every spelling: nothing that is left out or unclear means root', needs, async () => {
  jail.file('etc/passwd', 'root:x:0:0::/root:/bin/sh\n')
  jail.file('etc/group', 'root:x:0:\n')
  /** As it was parsed: two numbers with a colon between them, and what does not fit is 0. */
  const scanned = (text: string): [number, number] => {
    const [, uid, gid] = /^\s*([+-]?\d+):\s*([+-]?\d+)/.exec(text) ?? []
    return [Number(uid ?? 0) >>> 0, Number(gid ?? 0) >>> 0]
  }
  const table: Record<string, [number, number] | 'refused'> = {
    '1': [1, 0],
    '1:2': [1, 2],
    '01': [1, 0],
    '2147483647:1': [2147483647, 1],
    ':1': [0, 1],
    '': [0, 0],
    ':': 'refused',
    '1:': 'refused',
    ' 1': 'refused',
    '1 ': 'refused',
    '+1': 'refused',
    '-1': 'refused',
    '4294967296': 'refused',
    '1:4294967296': 'refused',
    '1:-1': 'refused',
    '0x1': 'refused',
    '1e3': 'refused',
    '1:2:3': 'refused',
  }
  const asRoot = Object.entries(table).filter(
    ([text, meant]) => scanned(text)[0] === 0 && meant !== 'refused' && meant[0] !== 0,
  )
  expect(asRoot.map(([text]) => text)).toEqual(['1', '01'])
  for (const [text, meant] of Object.entries(table)) {
    if (meant === 'refused') expect(() => getExecUser(text, {}, '', ''), text).toThrow()
    else expect(getExecUser(text, {}, '', ''), text).toMatchObject({ uid: meant[0], gid: meant[1] })
  }
  // And in a container: the first process, and a further one.
  const integers = { uid: scanned('1')[0], gid: scanned('1')[1] }
  const answer = { integers, bytes: { groups: new Uint8Array(0), home: 'HOME=/\0' } }
  expect((await jail.run(script, { spec: { user: '1', env }, answers: { user: () => answer } })).stdout).toMatch(
    /^0\n0\n/,
  )
  expect((await jail.run(script, { spec: { user: '1', env } })).stdout).toMatch(/^1\n0\n/)
  await jail.run('exec sleep 100', {
    during: async pid => {
      expect((await jail.exec(pid, script, { spec: { user: '1', env } })).stdout).toMatch(/^1\n0\n/)
      expect((await jail.exec(pid, script, { spec: { user: '1:2', env } })).stdout).toMatch(/^1\n2\n/)
    },
  })
})

test('hostile passwd and group: links to the host’s, no files at all, and files without end', needs, async () => {
  for (const name of ['passwd', 'group']) jail.link(jail.victim.file(name), `etc/${name}`)
  const evil = 'evil:x:0:0::/evil:/bin/sh\n'
  const spec = { user: 'evil', env }
  // Whoever reads the image's files by joined paths reads the host's.
  writeFileSync(jail.victim.file('passwd'), evil)
  const joined = readFileSync(join(jail.rootfs, 'etc/passwd'), 'utf8')
  expect((await jail.run(script, { spec, answers: { user: believing('evil', joined) } })).stdout).toMatch(/^0\n/)
  const nobody = { message: expect.stringMatching(/no user 'evil'/) }
  expect((await jail.run(script, { spec })).refused).toMatchObject(nobody)
  // No regular file: a directory, a device that never ends, a pipe that nobody writes to, a circle.
  for (const make of [
    () => jail.directory('etc/passwd'),
    () => jail.link('/dev/zero', 'etc/passwd'),
    () => jail.link('/proc/self/fd/0', 'etc/passwd'),
    () => jail.link('passwd', 'etc/passwd'),
    () => {
      jail.remove('etc/passwd')
      execFileSync('mkfifo', [join(jail.rootfs, 'etc/passwd')])
    },
  ]) {
    make()
    const { refused } = await jail.run(script, { spec })
    expect(refused?.message).toMatch(/no user 'evil'|ELOOP|ENXIO/)
  }
  // One that would fill the memory of whoever reads it, and one of a single line.
  for (const text of ['x'.repeat(17 << 20), `a:x:1:1::/:/bin/sh\n`.repeat(1 << 20)]) {
    jail.file('etc/passwd', text)
    expect((await jail.run(script, { spec })).refused).toMatchObject({ code: 'ConfigInvalid' })
  }
  // NULs, and fields that are missing or are too many, are no entries that mean root.
  jail.file('etc/passwd', 'evil\nevil:\nevil:x\nevil:x:\nevil\0:x:0:0\nevil:x:-0:0\nevil:x:00x:0\n')
  expect((await jail.run(script, { spec })).refused?.message).toMatch(/no user 'evil'|no number|range/)
})
