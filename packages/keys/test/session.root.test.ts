import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { announceExec, bootstrap, execProgram, findProgram } from '@libcontainer/init'
import {
  addKey,
  addKeyring,
  changeKeyOwner,
  joinSessionKeyring,
  KEY_RIGHTS,
  modifyKeyPermissions,
  readKeyring,
  setKeyPermissions,
  unlinkKey,
} from '@libcontainer/keys'
import { nativeArch, type Profile, seccompSteps, syscallNumber } from '@libcontainer/seccomp'
import { memoryFile, openFile, type Step, waitExit } from '@libcontainer/sys'
import { afterAll, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'

const needs = requires('root')
const packages = JSON.stringify(new URL('../../', import.meta.url).href)

/** What a program of Node.js prints that `init` executes after these steps. */
async function program(steps: readonly Step[], script: string): Promise<unknown> {
  const output = memoryFile('output', new Uint8Array(0))
  const nothing = await openFile('/dev/null', 2)
  const whole = `const keys = await import(${packages} + 'keys/dist/index.js')\n${script}`
  const argv = [process.execPath, '--input-type=module', '-e', whole]
  try {
    const { pidfd } = await bootstrap({
      stdio: [nothing.fd, output.fd, output.fd],
      steps: [...steps, findProgram(process.execPath, ''), announceExec, execProgram(argv, [])],
    })
    await waitExit(pidfd)
    pidfd.close()
    return JSON.parse(readFileSync(`/proc/self/fd/${output.fd}`, 'utf8'))
  } finally {
    output.close()
    nothing.close()
  }
}

/** The steps after which each call on keys is answered with this errno. */
function refusing(errnoRet: number): Step[] {
  const names = ['keyctl', 'add_key', 'request_key']
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet }],
  }
  return seccompSteps(profile)
}

const session = `
  const id = await keys.keyringId('session')
  const { description, permissions } = await keys.describeKey(id)
  console.log(JSON.stringify([id, description, permissions.toString(16), await keys.requestKey('user', 'of-the-host')]))`
const name = `_ses.test-${process.pid}`

test(
  'KY-01 KY-02 a session keyring by name, what it permits, and nothing of the parent’s session in reach',
  needs,
  async () => {
    const key = await addKey('user', 'of-the-host', 'secret', 'session')
    try {
      // Without the step it is there to be found: then its absence below means something.
      expect(await program([], session)).toEqual([expect.any(Number), expect.any(String), expect.any(String), key])
      const [id, ...made] = (await program([joinSessionKeyring(name)], session)) as unknown[]
      expect(made).toEqual([name, '3f1b0000', null])
      const other = { permit: { other: ['search'] } } as const
      expect(await program([joinSessionKeyring(`${name}-other`, other)], session)).toEqual([
        expect.any(Number),
        `${name}-other`,
        '3f130008',
        null,
      ])
      expect(id).not.toBe(key)
    } finally {
      await unlinkKey(key, 'session')
    }
  },
)

test(
  'KY-01 KY-02 a keyring of that name that may be searched is joined as it is; one that may not is passed by',
  needs,
  async () => {
    const held = `${name}-held`
    const ring = await addKeyring(held, 'session')
    const join = joinSessionKeyring(held, { existing: true })
    try {
      const permissions = await modifyKeyPermissions(ring, 0x3f3f3f3f, { user: ['search'] })
      expect(await program([join], session)).toEqual([ring, held, permissions.toString(16), null])
      await modifyKeyPermissions(ring, { possessor: KEY_RIGHTS, user: ['view'] }, 0)
      expect(await program([join], session)).not.toContain(ring)
    } finally {
      await unlinkKey(ring, 'session')
    }
  },
)

test('KY-01 a keyring that somebody has put there under the name is not shared', needs, async () => {
  const squatted = `${name}-squatted`
  const ring = await addKeyring(squatted, 'session')
  try {
    await setKeyPermissions(ring, { possessor: KEY_RIGHTS, user: KEY_RIGHTS, other: KEY_RIGHTS })
    // The kernel's own join takes it, whoever it belongs to: that is the attack.
    expect(await program([joinSessionKeyring(squatted, { existing: true })], session)).toContain(ring)
    await changeKeyOwner(ring, { uid: 65534 })
    for (const existing of [false, true]) {
      await expect(
        program([joinSessionKeyring(squatted, { existing })], session),
        String(existing),
      ).rejects.toMatchObject({
        code: 'EEXIST',
        syscall: 'keyctl(JOIN_SESSION_KEYRING)',
        hint: expect.stringContaining('/proc/keys'),
      })
    }
    await changeKeyOwner(ring, { uid: 0 })
    const [made, ...more] = (await program([joinSessionKeyring(squatted)], session)) as unknown[]
    expect(more).toEqual([squatted, '3f1b0000', null])
    expect(made).not.toBe(ring)
    await expect(readKeyring(ring)).rejects.toMatchObject({ code: 'EKEYREVOKED' })
  } finally {
    await unlinkKey(ring, 'session')
  }
})

test('KY-01 a kernel without keys is passed over; any other refusal ends the plan, with a hint', needs, async () => {
  const script = 'console.log(JSON.stringify([keys.hasKeys(), (await keys.probe()).keys]))'
  expect(await program([...refusing(38), joinSessionKeyring(name)], script)).toEqual([
    false,
    { available: false, reason: expect.stringContaining('ENOSYS') },
  ])
  await expect(program([...refusing(1), joinSessionKeyring(name)], script)).rejects.toMatchObject({
    code: 'EPERM',
    syscall: 'keyctl(JOIN_SESSION_KEYRING)',
    hint: expect.stringContaining('seccomp'),
  })
})

const driver = new Driver(['sys'])
afterAll(() => driver.close())

test('KY-01 and the factory says that the container goes on without', requires('root', 'program:gcc'), async () => {
  using place = temporaryDirectory('no-keys-')
  const rootfs = join(place.path, 'rootfs')
  mkdirSync(rootfs)
  const script = `
    const { Factory } = await import(${packages} + 'container/dist/index.js')
    const warnings = []
    const factory = await Factory.open(${JSON.stringify(join(place.path, 'state'))}, { warn: text => warnings.push(text) })
    for (const sessionKeyring of [true, false])
      await (await factory.create('no-keys-${process.pid}-' + sessionKeyring, { rootfs: ${JSON.stringify(rootfs)}, sessionKeyring })).destroy()
    console.log(JSON.stringify(warnings))`
  const argv = [process.execPath, '--input-type=module', '-e', script]
  const forbid: Step = { op: 'driverForbid', args: [syscallNumber(nativeArch(), 'keyctl')!], about: 'forbid keyctl' }
  const { stdout, stderr } = await driver.run([forbid], { argv })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([expect.stringContaining('the kernel has no keyrings')])
})
