import {
  capabilitySets,
  capabilitySteps,
  clearInherited,
  dropCapabilities,
  OCI_CAPABILITIES,
  toMask,
} from '@libcontainer/capabilities'
import { expect, test } from 'vitest'

const plain = (steps: readonly { op: string; args: readonly unknown[] }[]) => steps.map(({ op, args }) => [op, ...args])
const oci = toMask(OCI_CAPABILITIES)
const SYS_ADMIN = 1n << 21n

test('CP-10 the order around the change of user', () => {
  const { beforeUserSwitch, afterUserSwitch, warnings } = capabilitySteps(capabilitySets(OCI_CAPABILITIES))
  expect(plain(beforeUserSwitch)).toEqual([
    ['dropBounding', oci],
    ['setKeepCaps', 1],
  ])
  expect(plain(afterUserSwitch)).toEqual([
    ['setKeepCaps', 0],
    ['setCapabilities', oci, oci, 0n],
    ['setAmbient', 0n, 0],
  ])
  expect(warnings).toEqual([])
})

test('CP-10 the steps say what they do', () => {
  const { beforeUserSwitch, afterUserSwitch } = capabilitySteps({ bounding: ['KILL'] })
  expect([...beforeUserSwitch, ...afterUserSwitch].map(({ about }) => about)).toEqual([
    'limit the bounding set to CAP_KILL',
    'keep capabilities across the change of user',
    'stop keeping capabilities across changes of user',
    'set the permitted capabilities to none',
    'set the ambient capabilities to none',
  ])
})

test('CP-10 strict makes a refused ambient capability an error, and a slot can receive the refused ones', () => {
  const { afterUserSwitch } = capabilitySteps({}, { strict: true, refusedInto: 'refused' })
  expect(afterUserSwitch.at(-1)).toMatchObject({ op: 'setAmbient', args: [0n, 1], into: 'refused' })
})

test('CP-06 no sets leave everything alone', () => {
  expect(capabilitySteps(null)).toEqual({ beforeUserSwitch: [], afterUserSwitch: [], warnings: [] })
})

test('S13 CAP_SYS_ADMIN is kept effective and permitted, and in no set that survives exec', () => {
  const sets = { ...capabilitySets(OCI_CAPABILITIES), inheritable: ['KILL'], ambient: ['KILL'] }
  const { beforeUserSwitch, afterUserSwitch } = capabilitySteps(sets, { keepSysAdmin: true })
  expect(plain(beforeUserSwitch)[0]).toEqual(['dropBounding', oci])
  expect(plain(afterUserSwitch)).toEqual([
    ['setKeepCaps', 0],
    ['setCapabilities', oci | SYS_ADMIN, oci | SYS_ADMIN, 1n << 5n],
    ['setAmbient', 1n << 5n, 0],
  ])
})

test('S13 keeping it does not let an ambient CAP_SYS_ADMIN slip in that the kernel would have refused', () => {
  const sets = { bounding: ['SYS_ADMIN'], inheritable: ['SYS_ADMIN'], ambient: ['SYS_ADMIN'] }
  const { afterUserSwitch, warnings } = capabilitySteps(sets, { keepSysAdmin: true })
  expect(plain(afterUserSwitch).at(-1)).toEqual(['setAmbient', 0n, 0])
  expect(warnings[0]).toMatch(/ambient capabilities are ignored: CAP_SYS_ADMIN/)
})

test('S13 with no sets it is raised again after the change of user', () => {
  const { beforeUserSwitch, afterUserSwitch } = capabilitySteps(null, { keepSysAdmin: true })
  expect(plain(beforeUserSwitch)).toEqual([['setKeepCaps', 1]])
  expect(plain(afterUserSwitch)).toEqual([
    ['setKeepCaps', 0],
    ['raiseEffective', SYS_ADMIN],
  ])
})

test('CP-14 secure bits are set after the ambient set and before CAP_SETPCAP goes', () => {
  const { afterUserSwitch } = capabilitySteps({ bounding: ['KILL'] }, { secureBits: ['NO_CAP_AMBIENT_RAISE'] })
  const SETPCAP = 1n << 8n
  expect(plain(afterUserSwitch)).toEqual([
    ['setKeepCaps', 0],
    ['setCapabilities', SETPCAP, SETPCAP, 0n],
    ['setAmbient', 0n, 0],
    ['setSecureBits', 0x40],
    ['setCapabilities', 0n, 0n, 0n],
  ])
  expect(() => capabilitySteps({}, { secureBits: ['NOPE'] })).toThrow(/secureBits\[0\]/)
})

test('CP-08 dropCapabilities keeps exactly the list', () => {
  expect(plain(dropCapabilities(['CHOWN', 'cap_kill']))).toEqual([
    ['dropBounding', 0x21n],
    ['setCapabilities', 0x21n, 0x21n, 0x21n],
  ])
  expect(() => dropCapabilities(['CHOWN', 'NOPE'])).toThrow(expect.objectContaining({ field: 'keep[1]' }))
})

test('S1 the step that clears what a user namespace had made inheritable', () => {
  expect(clearInherited()).toMatchObject({ op: 'clearInherited', args: [] })
})
