import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CapabilityMasks,
  capabilitiesAfterExec,
  dropBounding,
  type Execution,
  type FileCapabilities,
  parseFileCapabilities,
  parseSecureBits,
  parseStatus,
  setAmbient,
  setCapabilities,
  setFileCapabilities,
  setKeepCaps,
  setSecureBits,
  toMask,
} from '@libcontainer/capabilities'
import type { Step } from '@libcontainer/sys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'

const NONE: CapabilityMasks = { bounding: 0n, effective: 0n, inheritable: 0n, permitted: 0n, ambient: 0n }
const some = toMask(['CHOWN', 'KILL', 'NET_RAW', 'SETPCAP'])
const kill = toMask(['KILL'])

describe('what a program gets, as the kernel does it', requires('root', 'CAP_SETFCAP', 'program:gcc'), () => {
  let driver: Driver
  /** Not in /tmp, which is often mounted nosuid. */
  let directory: string
  const files = new Map<string, FileCapabilities | undefined>()
  beforeAll(async () => {
    driver = new Driver(['capabilities'])
    directory = mkdtempSync('/var/tmp/exec-capabilities-')
    chmodSync(directory, 0o755)
    const texts = ['', 'cap_net_raw=ep', 'cap_net_raw=p', 'cap_kill=ei cap_chown+ep', 'cap_mknod=p', 'cap_mknod=ep']
    for (const [i, text] of texts.entries()) {
      const file = text === '' ? undefined : parseFileCapabilities(text)
      for (const kind of ['plain', 'setuid']) {
        const path = join(directory, `${kind}-${i}`)
        copyFileSync('/bin/cat', path)
        chmodSync(path, kind === 'plain' ? 0o755 : 0o4755)
        if (file) await setFileCapabilities(path, file)
        files.set(path, file)
      }
    }
  })
  afterAll(() => {
    driver.close()
    rmSync(directory, { recursive: true })
  })

  const status: Step = { op: 'driverPrintFile', args: ['/proc/self/status'], about: 'print the status' }
  const noNewPrivs: Step = { op: 'driverForbid', args: [9999], about: 'set no_new_privs' }

  /** The masks before the program and in it; `undefined` for one that cannot be executed. */
  async function execute(path: string, { uid = 0, secureBits = [], noNewPrivileges }: Execution) {
    const steps = [
      dropBounding(some),
      setKeepCaps(true),
      { op: 'driverSwitchUser', args: [uid], about: `become ${uid}` },
      setCapabilities(some, some, kill),
      setAmbient(kill),
      ...(secureBits.length === 0 ? [] : [setSecureBits(parseSecureBits(secureBits))]),
      ...(noNewPrivileges ? [noNewPrivs] : []),
      status,
    ]
    const { code, stdout, stderr } = await driver.run(steps, { argv: [path, '/proc/self/status'] })
    const [before = '', after] = stdout.split(/^(?=Name:)/m)
    if (code !== 0 && !/not permitted/i.test(stderr)) throw new Error(`${code} ${stderr}`)
    return { before: parseStatus(before), after: after === undefined ? undefined : parseStatus(after) }
  }

  test('root, users, set-user-id, file capabilities, NOROOT and no_new_privs, all with all', async () => {
    const results: (CapabilityMasks | undefined)[] = []
    const compare = async (path: string, execution: Execution): Promise<void> => {
      const { before, after } = await execute(path, execution)
      expect(before).toMatchObject({ bounding: some, permitted: some, inheritable: kill, ambient: kill })
      const about = { path, ...execution }
      expect({ about, masks: capabilitiesAfterExec(before, execution) }).toEqual({ about, masks: after })
      results.push(after)
    }
    for (const [path, file] of files) {
      const setuid = path.includes('setuid') ? 0 : undefined
      const all = [0, 1000].flatMap(uid =>
        [[], ['NOROOT' as const]].flatMap(secureBits =>
          [false, true].map(noNewPrivileges => ({ uid, setuid, file, secureBits, noNewPrivileges })),
        ),
      )
      await Promise.all(all.map(execution => compare(path, execution)))
    }
    expect(results).toHaveLength(96)
    expect(results.filter(after => after === undefined)).toHaveLength(16)
  })

  test('CVE-2016-8867 CVE-2022-29162 with nothing inheritable a user gets no more than the file gives, and in no case more than the bounding set', () => {
    const masks = { ...NONE, bounding: some }
    const file = parseFileCapabilities('cap_kill,cap_mknod=ip cap_net_raw+p')
    expect(capabilitiesAfterExec(masks, { uid: 1000, file })?.permitted).toBe(toMask(['KILL', 'NET_RAW']))
    expect(capabilitiesAfterExec({ ...masks, inheritable: toMask(['MKNOD']) }, { uid: 1000, file })?.permitted).toBe(
      toMask(['KILL', 'NET_RAW', 'MKNOD']),
    )
    expect(capabilitiesAfterExec(masks, { uid: 1000, file, noNewPrivileges: true })).toEqual(masks)
    expect(capabilitiesAfterExec(masks, { uid: 1000 })).toEqual(masks)
  })
})
