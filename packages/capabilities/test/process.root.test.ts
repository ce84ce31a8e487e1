import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import {
  type CapabilityMasks,
  type CapabilitySets,
  type CapabilityStepOptions,
  capabilitySets,
  capabilitySteps,
  clearInherited,
  dropBounding,
  dropCapabilities,
  formatText,
  fromMask,
  getProcess,
  getSecureBits,
  known,
  OCI_CAPABILITIES,
  parseSecureBits,
  parseStatus,
  setAmbient,
  setCapabilities,
  setKeepCaps,
  setSecureBits,
  supported,
  toMask,
} from '@libcontainer/capabilities'
import { type Step, slot } from '@libcontainer/sys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'
import { native } from '../dist/native.js'

const SYS_ADMIN = 1n << 21n
const oci = toMask(OCI_CAPABILITIES)
const NONE = { bounding: 0n, effective: 0n, inheritable: 0n, permitted: 0n, ambient: 0n }

describe('as root', requires('root', 'program:gcc', 'namespace:user'), () => {
  let driver: Driver
  let own: CapabilityMasks
  beforeAll(async () => {
    driver = new Driver(['capabilities'])
    own = await getProcess()
  })
  afterAll(() => driver.close())

  const printStatus: Step = { op: 'driverPrintFile', args: ['/proc/self/status'], about: 'print the status' }
  const switchUser = (id: number): Step => ({ op: 'driverSwitchUser', args: [id], about: `become ${id}` })
  const filter: Step = { op: 'driverInstallFilter', args: [], about: 'install a filter' }

  /** The masks after the last step, and those of the program executed then. */
  async function run(
    steps: readonly Step[],
  ): Promise<{ before: CapabilityMasks; after: CapabilityMasks; text: string }> {
    const { code, stdout, stderr } = await driver.run([...steps, printStatus], { argv: ['cat', '/proc/self/status'] })
    if (code !== 0) throw new Error(stderr)
    const [before = '', after = ''] = stdout.split(/^(?=Name:)/m)
    return { before: parseStatus(before), after: parseStatus(after), text: stdout }
  }

  function around(user: number, sets: CapabilitySets | null, options?: CapabilityStepOptions, ...last: Step[]): Step[] {
    const { beforeUserSwitch, afterUserSwitch } = capabilitySteps(sets, options)
    return [...beforeUserSwitch, switchUser(user), ...afterUserSwitch, ...last]
  }

  test('CP-10 CVE-2016-8867 an ordinary user with the default sets: asked for before exec, nothing after', async () => {
    const { before, after, text } = await run(around(1000, capabilitySets(OCI_CAPABILITIES)))
    expect(before).toEqual({ ...NONE, bounding: oci, effective: oci, permitted: oci })
    expect(after).toEqual({ ...NONE, bounding: oci })
    expect(text).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
  })

  test('CP-10 CP-11 root with the default sets keeps exactly these, none inheritable', async () => {
    const { after } = await run(around(0, capabilitySets(OCI_CAPABILITIES)))
    expect(after).toEqual({ ...NONE, bounding: oci, effective: oci, permitted: oci })
  })

  test('CP-10 an ordinary user keeps its ambient capabilities across exec', async () => {
    const sets = { ...capabilitySets(OCI_CAPABILITIES), inheritable: ['KILL', 'AUDIT_WRITE'], ambient: ['KILL'] }
    const { after } = await run(around(1000, sets))
    const kill = toMask(['KILL'])
    expect(after).toEqual({
      bounding: oci,
      inheritable: toMask(['KILL', 'AUDIT_WRITE']),
      effective: kill,
      permitted: kill,
      ambient: kill,
    })
  })

  test('CP-06 no sets: the kernel alone decides', async () => {
    const { before, after } = await run(around(0, null))
    expect(before).toEqual(own)
    expect(after).toEqual(own)
    const user = await run(around(1000, null))
    expect(user.before).toEqual({ ...NONE, bounding: own.bounding })
  })

  test('CP-07 dropBounding limits what a program of root’s gets, and needs CAP_SETPCAP', async () => {
    const { before, after } = await run([dropBounding(oci)])
    expect(before).toEqual({ ...own, bounding: oci })
    expect(after).toEqual({ ...NONE, bounding: oci, effective: oci, permitted: oci })
    const without = own.permitted & ~toMask(['SETPCAP'])
    expect(await driver.run([setCapabilities(without, without, 0n), dropBounding(oci)])).toMatchObject({
      code: 99,
      stderr: '1 1 prctl \n',
    })
  })

  test('CP-09 keep-caps: the permitted set alone survives the change of user, and ends with exec', async () => {
    const kept = await run([setKeepCaps(true), switchUser(1000)])
    expect(kept.before).toEqual({ ...NONE, bounding: own.bounding, permitted: own.permitted })
    expect(kept.after).toEqual({ ...NONE, bounding: own.bounding })
    const ended = await run([setKeepCaps(true), setKeepCaps(false), switchUser(1000)])
    expect(ended.before).toEqual({ ...NONE, bounding: own.bounding })
    const locked = await driver.run([setSecureBits(parseSecureBits(['KEEP_CAPS_LOCKED'])), setKeepCaps(true)])
    expect(locked).toMatchObject({ code: 99, stderr: '1 1 prctl \n' })
  })

  test('CP-08 dropCapabilities leaves exactly the list in E, P, I and bounding', async () => {
    const keep = toMask(['CHOWN', 'KILL'])
    const { before, after } = await run(dropCapabilities(['CHOWN', 'KILL']))
    expect(before).toEqual({ bounding: keep, effective: keep, permitted: keep, inheritable: keep, ambient: 0n })
    expect(after).toEqual(before)
  })

  test('CP-10 a refused ambient capability is told, or strictly an error', async () => {
    // The bounding set is no matter to ambient; the inheritable set is: CAP_MKNOD is not in it.
    const wanted = toMask(['KILL', 'MKNOD'])
    const sets = setCapabilities(own.effective, own.permitted, toMask(['KILL']))
    const print: Step = { op: 'driverPrint', args: [slot('refused')], about: 'print' }
    const told = await driver.run([sets, setAmbient(wanted, { into: 'refused' }), print, printStatus])
    expect(told.stdout).toMatch(new RegExp(`^value ${toMask(['MKNOD'])}$`, 'm'))
    expect(parseStatus(told.stdout).ambient).toBe(toMask(['KILL']))
    const strict = await driver.run([sets, setAmbient(wanted, { strict: true })])
    expect(strict).toMatchObject({ code: 99, stderr: '1 1 prctl \n' })
  })

  test.each([0, 1000])('S13 as uid %i: CAP_SYS_ADMIN stays until the filter stands, and exec drops it', async uid => {
    const without = await driver.run(around(uid, capabilitySets(OCI_CAPABILITIES), {}, filter))
    expect(without).toMatchObject({ code: 99, stderr: expect.stringMatching(/ 13 seccomp/) })
    const { before, after, text } = await run(
      around(uid, capabilitySets(OCI_CAPABILITIES), { keepSysAdmin: true }, filter),
    )
    expect(before).toEqual({ ...NONE, bounding: oci, effective: oci | SYS_ADMIN, permitted: oci | SYS_ADMIN })
    expect(after).toEqual(
      uid === 0 ? { ...NONE, bounding: oci, effective: oci, permitted: oci } : { ...NONE, bounding: oci },
    )
    expect(text.match(/^Seccomp:\t2$/gm)).toHaveLength(2)
    expect(text.match(/^NoNewPrivs:\t0$/gm)).toHaveLength(2)
  })

  test('S13 without sets, too', async () => {
    const { after, text } = await run(around(1000, null, { keepSysAdmin: true }, filter))
    expect(after).toEqual({ ...NONE, bounding: own.bounding })
    expect(text).toMatch(/^Seccomp:\t2$/m)
  })

  test('S13 root with NOROOT is left with nothing', async () => {
    const options = { keepSysAdmin: true, secureBits: ['NOROOT', 'NOROOT_LOCKED'] }
    const { before, after } = await run(around(0, capabilitySets(OCI_CAPABILITIES), options, filter))
    expect(before.effective).toBe(oci | SYS_ADMIN)
    expect(after).toEqual({ ...NONE, bounding: oci })
  })

  test('CP-14 secure bits are set, and a locked one stays', async () => {
    const bits: Step = { op: 'getSecureBits', args: [], about: 'read', into: 'bits' }
    const print: Step = { op: 'driverPrint', args: [slot('bits')], about: 'print' }
    const { stdout } = await driver.run([setSecureBits(0b11), bits, print])
    expect(stdout).toBe('value 3\n')
    const unlock = await driver.run([setSecureBits(0b11), setSecureBits(0)])
    expect(unlock).toMatchObject({ code: 99, stderr: '1 1 prctl \n' })
    expect(getSecureBits()).toEqual([])
  })

  test('S1 in a new user namespace what was made ambient is cleared, the rest stays', async () => {
    const users: Step = { op: 'driverOwnUsers', args: [], about: 'own users' }
    const all = toMask(await supported())
    const made = [users, setCapabilities(all, all, all), setAmbient(all, { strict: true })]
    expect((await run(made)).before).toEqual({
      bounding: all,
      effective: all,
      permitted: all,
      inheritable: all,
      ambient: all,
    })
    const { before, after } = await run([...made, clearInherited()])
    expect(before).toEqual({ ...NONE, bounding: all, effective: all, permitted: all })
    expect(after).toEqual(before)
  })

  test('CP-10 what the process has not got cannot be given', async () => {
    const lacking = toMask(known()) & ~own.permitted
    const step = setCapabilities(0n, own.permitted | lacking | (1n << 62n), 0n)
    const { code, stderr } = await driver.run([dropBounding(oci), setCapabilities(oci, oci, 0n), step])
    expect({ code, stderr }).toEqual({ code: 99, stderr: '2 1 capset \n' })
  })

  test('CP-12 another process is read, and libcap says the same in words', requires('program:getpcaps'), async () => {
    const cases: [string[], string[]][] = [
      [['CHOWN', 'KILL'], []],
      [['CHOWN', 'KILL', 'MKNOD'], ['KILL']],
      [[], []],
      [fromMask(own.bounding), fromMask(own.bounding)],
      [fromMask(own.bounding & ~SYS_ADMIN), ['CAP_NET_RAW']],
    ]
    for (const [keep, inheritable] of cases) {
      const mask = toMask(keep)
      const child = driver.start([dropBounding(mask), setCapabilities(mask, mask, toMask(inheritable))], {
        argv: ['sh', '-c', 'echo ready; read line'],
      })
      try {
        await once(child.stdout!, 'data')
        const masks = await getProcess(child.pid!)
        expect(masks).toEqual({
          bounding: mask,
          effective: mask,
          permitted: mask,
          inheritable: toMask(inheritable),
          ambient: 0n,
        })
        const words = execFileSync('getpcaps', [String(child.pid)], { encoding: 'utf8' })
        expect(formatText(masks)).toBe(words.trim().replace(/^\d+: /, ''))
      } finally {
        child.stdin!.end()
        await once(child, 'close')
      }
      await expect(getProcess(child.pid!)).rejects.toMatchObject({ code: 'ENOENT' })
    }
    await expect(getProcess(0)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'pid' })
  })

  test('CP-16 a process with several threads is refused, and none of its threads changes', async () => {
    const tasks = () =>
      readdirSync('/proc/self/task').map(task => parseStatus(readFileSync(`/proc/self/task/${task}/status`, 'utf8')))
    const steps = [
      dropBounding(0n),
      setCapabilities(0n, 0n, 0n),
      clearInherited(),
      setAmbient(0n),
      setSecureBits(1),
      ...capabilitySteps(null, { keepSysAdmin: true }).beforeUserSwitch,
      ...capabilitySteps(null, { keepSysAdmin: true }).afterUserSwitch,
    ]
    for (const step of steps) {
      await expect(native.apply([step])).rejects.toThrow(
        /EPERM.*a process with several threads would end with mixed capabilities/,
      )
    }
    for (const masks of tasks()) expect(masks).toEqual(own)
    expect(getSecureBits()).toEqual([])
  })
})
