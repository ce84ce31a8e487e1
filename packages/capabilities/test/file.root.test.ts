import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type FileCapabilities,
  formatFileCapabilities,
  getFileCapabilities,
  parseFileCapabilities,
  parseStatus,
  removeFileCapabilities,
  setFileCapabilities,
  toMask,
} from '@libcontainer/capabilities'
import { getAttribute, O_PATH, openFile, setAttribute } from '@libcontainer/sys'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const netRaw: FileCapabilities = { permitted: toMask(['NET_RAW']), inheritable: 0n, effective: true }

describe('as root', requires('root', 'CAP_SETFCAP'), () => {
  /** Not in /tmp, which is often mounted nosuid. */
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync('/var/tmp/file-capabilities-')
    file = join(directory, 'program')
    writeFileSync(file, '')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test(
    'CP-13 set, read and removed; what getcap and setcap of libcap say of it',
    requires('program:setcap'),
    async () => {
      const shown = (): string => execFileSync('getcap', ['-n', file], { encoding: 'utf8' }).trim()
      expect(await getFileCapabilities(file)).toBeUndefined()
      for (const text of ['cap_net_raw=ep', 'cap_net_raw=eip cap_kill+ep', 'cap_chown,cap_bpf=p', 'cap_sys_admin=i']) {
        await setFileCapabilities(file, parseFileCapabilities(text))
        expect(shown()).toBe(`${file} ${text}`)
        execFileSync('setcap', ['-r', file])
        execFileSync('setcap', [text, file])
        expect(formatFileCapabilities((await getFileCapabilities(file))!)).toBe(text)
      }
      await setFileCapabilities(file, { ...netRaw, rootId: 1000 })
      expect(shown()).toBe(`${file} cap_net_raw=ep [rootid=1000]`)
      expect(await getFileCapabilities(file)).toEqual({ ...netRaw, rootId: 1000 })
      await removeFileCapabilities(file)
      await removeFileCapabilities(file)
      expect(shown()).toBe('')
      expect(await getFileCapabilities(file)).toBeUndefined()
    },
  )

  test(
    'CP-13 a program gets what its file says, whoever executes it, and nothing under no_new_privs',
    requires('program:setpriv'),
    async () => {
      const cat = join(directory, 'cat')
      copyFileSync('/bin/cat', cat)
      execFileSync('chmod', ['0755', directory, cat])
      await setFileCapabilities(cat, netRaw)
      const status = (program: string, ...args: string[]) =>
        parseStatus(execFileSync(program, [...args, '/proc/self/status'], { encoding: 'utf8', uid: 1000, gid: 1000 }))
      expect(status(cat)).toMatchObject({ effective: netRaw.permitted, permitted: netRaw.permitted, inheritable: 0n })
      expect(status('setpriv', '--no-new-privs', cat)).toMatchObject({ effective: 0n, permitted: 0n })
      await setFileCapabilities(cat, { ...netRaw, rootId: 4242 })
      expect(status(cat)).toMatchObject({ effective: 0n, permitted: 0n })
    },
  )

  test('CP-13 a link is not followed unless that is asked for, and leads nowhere out of a root', async () => {
    const link = join(directory, 'link')
    symlinkSync('program', link)
    const refused = { code: 'UnexpectedInode', message: expect.stringMatching(/it is a link/) }
    await expect(setFileCapabilities(link, netRaw)).rejects.toMatchObject(refused)
    await expect(getFileCapabilities(link)).rejects.toMatchObject(refused)
    await expect(removeFileCapabilities(link)).rejects.toMatchObject(refused)
    expect(await getFileCapabilities(file)).toBeUndefined()
    await setFileCapabilities(link, netRaw, { follow: true })
    expect(await getFileCapabilities(file)).toEqual(netRaw)
    await removeFileCapabilities(file)

    const root = join(directory, 'rootfs')
    mkdirSync(join(root, 'bin'), { recursive: true })
    writeFileSync(join(root, 'program'), '')
    symlinkSync(file, join(root, 'bin/absolute'))
    symlinkSync('../../program', join(root, 'bin/up'))
    for (const path of ['/bin/absolute', 'bin/up'])
      await setFileCapabilities(path, netRaw, { root, follow: true }).catch(() => {})
    expect(await getFileCapabilities(file)).toBeUndefined()
    expect(await getFileCapabilities('program', { root })).toEqual(netRaw)
    await expect(setFileCapabilities('/bin/up', netRaw, { root })).rejects.toMatchObject(refused)
  })

  test('CP-13 directories, devices and FIFOs have none, and opening them is not tried', async () => {
    const fifo = join(directory, 'fifo')
    execFileSync('mkfifo', [fifo])
    for (const path of [directory, fifo, '/dev/null']) {
      await expect(getFileCapabilities(path)).rejects.toMatchObject({ code: 'UnexpectedInode' })
      await expect(setFileCapabilities(path, netRaw)).rejects.toMatchObject({ code: 'UnexpectedInode' })
    }
    await expect(getFileCapabilities(join(directory, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(setFileCapabilities(file, { ...netRaw, permitted: -1n })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'file.permitted',
    })
    await expect(setFileCapabilities('/proc/version', netRaw)).rejects.toMatchObject({ code: 'EOPNOTSUPP' })
  })

  test('CP-13 by a descriptor, of which a mere handle will not do', async () => {
    const open = await openFile(file)
    const handle = await openFile(file, O_PATH)
    try {
      await setFileCapabilities(open, netRaw)
      expect(await getFileCapabilities(open)).toEqual(netRaw)
      expect(await getAttribute(open, 'security.capability')).toHaveLength(20)
      await expect(getFileCapabilities(handle)).rejects.toMatchObject({ code: 'EBADF' })
      await setAttribute(open, 'trusted.beside', 'value')
      await removeFileCapabilities(open)
      expect(await getFileCapabilities(file)).toBeUndefined()
      expect(await getAttribute(file, 'trusted.beside')).toHaveLength(5)
    } finally {
      open.close()
      handle.close()
    }
  })
})
