import { afterAll, beforeAll, expect, test } from 'vitest'
import { OrdinaryUser, requires } from '../../../test/support/index.js'

const needs = requires('root', 'rootfs', 'program:newuidmap', 'program:newgidmap', 'namespace:user')
let user: OrdinaryUser

beforeAll(() => {
  if (!needs.skip) user = new OrdinaryUser({ subIds: 65536 })
})
afterAll(() => user?.[Symbol.dispose]())

/** Makes a process in a user namespace of its own, which waits; has its maps written; answers them, or the error. */
const program = (uid: object[], gid: object[]): string => `
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { writeIdMaps } from '${user.module('@libcontainer/namespaces')}'
const child = spawn('unshare', ['--user', 'sh', '-c', 'echo ready; read go'], { stdio: ['pipe', 'pipe', 'inherit'] })
await once(child.stdout, 'data')
const read = file => readFileSync('/proc/' + child.pid + '/' + file, 'utf8').trim().split('\\n').map(line => line.trim().split(/\\s+/).join(' '))
let result
try {
  await writeIdMaps(child.pid, { uid: ${JSON.stringify(uid)}, gid: ${JSON.stringify(gid)} })
  result = { uid: read('uid_map'), gid: read('gid_map'), setgroups: read('setgroups')[0] }
} catch (error) {
  result = { code: error.code, message: error.message, hint: error.hint }
}
child.stdin.end('go\\n')
await once(child, 'close')
console.log(JSON.stringify(result))
`

const lent = (own: number): object[] => [
  { containerId: 0, hostId: own, size: 1 },
  { containerId: 1, hostId: 1000000, size: 65536 },
]

test('US-06 newuidmap and newgidmap map the ids that /etc/subuid and /etc/subgid lend', needs, () => {
  expect(user.evaluate(program(lent(user.uid), lent(user.uid)))).toEqual({
    uid: [`0 ${user.uid} 1`, '1 1000000 65536'],
    gid: [`0 ${user.uid} 1`, '1 1000000 65536'],
    setgroups: 'allow',
  })
})

test('EV-041 US-06 ids that nobody has lent are refused with the program’s own words and what to set up', needs, () => {
  const foreign = [{ containerId: 0, hostId: 5, size: 1 }]
  expect(user.evaluate(program(foreign, lent(user.uid)))).toMatchObject({
    code: 'EPERM',
    message: expect.stringMatching(/^\/usr\/bin\/newuidmap failed \(exit code 1\): .*\[0-1\) -> \[5-6\) not allowed/),
    hint: expect.stringContaining('/etc/subuid'),
  })
})

test('US-06 the two programs are looked for at fixed places, never on PATH', needs, () => {
  const env = { PATH: `${user.home}:/nowhere:${process.env.PATH}` }
  const missing = 'mount -t tmpfs none /usr/local/bin; mount --bind /dev/null /usr/bin/newuidmap'
  // What is bound over it cannot be executed: the error names the path.
  expect(user.evaluate(program(lent(user.uid), lent(user.uid)), { env, before: missing })).toMatchObject({
    code: 'EACCES',
    message: expect.stringContaining('execveat'),
  })
})
