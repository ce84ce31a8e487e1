import {
  checkContext,
  computeCreateContext,
  features,
  genLabels,
  getBoolean,
  getEnforce,
  getLabel,
  getPidLabel,
  getProcessLabel,
  initLabels,
  isEnabled,
  isMls,
  listBooleans,
  peerLabel,
  probe,
  relabel,
  releaseLabel,
  reserveLabel,
  setEnforce,
  setFileCreateLabel,
  setFileLabel,
  setProcessLabel,
  setThreadLabel,
  startLabelled,
  status,
} from '@libcontainer/selinux'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const needs = requires('nolsm:selinux')
const label = 'system_u:system_r:container_t:s0:c1,c2'

test('SE-01 SE-19 where SELinux is off: what asks answers, with the reason and what would help', needs, async () => {
  const { enabled, mode, reason } = await status()
  expect([enabled, mode, await isEnabled(), await isMls(), await getEnforce()]).toEqual([
    false,
    'disabled',
    false,
    false,
    'disabled',
  ])
  expect(reason).toMatch(/boot with lsm=…,selinux|mount -t selinuxfs/)
  expect((await probe()).selinux).toMatchObject({ available: false, reason })
  expect([await listBooleans(), await getBoolean('some')]).toEqual([[], undefined])
  expect([
    await getLabel(),
    await getLabel(process.pid, 'exec'),
    await getPidLabel(process.pid),
    await getProcessLabel(),
  ]).toEqual([undefined, undefined, '', ''])
  expect(await peerLabel(0)).toBeUndefined()
  expect(features().labels).toContain('keycreate')
})

test('SE-19 what labels does nothing', needs, async () => {
  for (const labels of [await initLabels(['type:container_t']), await genLabels('disable')]) {
    expect([labels.processLabel, labels.mountLabel]).toEqual(['', ''])
    await labels.release()
  }
  const directory = '/nowhere/at/all'
  await reserveLabel(label, { directory })
  await releaseLabel(label, { directory })
  await setProcessLabel(label)
  await setFileCreateLabel(label)
  await setThreadLabel('exec', '')
  await setFileLabel('/nowhere/at/all', label)
  expect(await relabel(import.meta.dirname, label)).toEqual({
    done: false,
    passes: 0,
    entries: 0,
    changed: 0,
    unsupported: 0,
    gone: 0,
  })
})

test(
  'SE-19 EV-115 VAL-06 what is asked for by name is refused by it, and what only a policy can answer by a code',
  needs,
  async () => {
    for (const asked of [() => startLabelled(['true'], { label }), () => setThreadLabel('exec', label)])
      await expect(asked()).rejects.toMatchObject({
        name: 'ConfigInvalid',
        field: 'label',
        message: expect.stringContaining('SELinux is off: '),
      })
    for (const asked of [
      () => checkContext(label),
      () => computeCreateContext(label, label, 'file'),
      () => setEnforce('permissive'),
    ])
      await expect(asked()).rejects.toMatchObject({
        code: 'SelinuxOff',
        message: expect.stringMatching(/^SELinux is off: .{20}/),
      })
    // What is wrong anywhere is told first.
    await expect(startLabelled(['true'], { label: '' })).rejects.toThrow(/^label: must be a context/)
    await expect(startLabelled(['true'], { label: 'x' })).rejects.toThrow(/^label: must be user:role:type/)
    await expect(startLabelled([], { label })).rejects.toThrow(/^argv/)
    await expect(startLabelled(['true'], { label, when: 'later' as 'now' })).rejects.toThrow(/^when/)
    await expect(initLabels(['type'])).rejects.toThrow(/^options\[0\]: /)
    await expect(relabel('/usr', label)).rejects.toThrow(/^path: /)
  },
)
