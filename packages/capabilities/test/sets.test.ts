import {
  capabilitySets,
  ENGINE_CAPABILITIES,
  fromMask,
  namesOf,
  OCI_CAPABILITIES,
  resolveCapabilities,
  SPEC_CAPABILITIES,
  toMask,
} from '@libcontainer/capabilities'
import { expect, test } from 'vitest'

test('CP-03 unknown and unavailable names are left out with one sorted warning', () => {
  const { masks, warnings } = resolveCapabilities(
    { bounding: ['CAP_ZZZ', 'KILL', 'cap_41', 'BPF'], permitted: ['SYSLOG', 'CAP_ZZZ', 'a b'] },
    { lastCap: 38, available: toMask(['KILL', 'BPF', 'CHOWN']) },
  )
  expect(namesOf(masks)).toEqual({ bounding: ['CAP_KILL'], effective: [], inheritable: [], permitted: [], ambient: [] })
  expect(warnings).toEqual([
    'unknown or unavailable capabilities are ignored: "a b", CAP_41, CAP_BPF, CAP_SYSLOG, CAP_ZZZ',
  ])
})

test('CP-03 EV-113 the strict way refuses them by field', () => {
  const strict = { strict: true, field: 'process.capabilities' }
  expect(() => resolveCapabilities({ bounding: ['KILL', 'CAP_ZZZ'] }, strict)).toThrow(
    'process.capabilities.bounding[1]: unknown capability (got "CAP_ZZZ")',
  )
  expect(() => resolveCapabilities({ ambient: ['BPF'] }, { ...strict, lastCap: 38 })).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'process.capabilities.ambient[0]', value: 'BPF' }),
  )
})

test('CP-06 five separate lists, absent ones empty', () => {
  const { masks, warnings } = resolveCapabilities({
    bounding: ['CHOWN', 'KILL', 'FOWNER'],
    permitted: ['CHOWN', 'KILL'],
    effective: ['CHOWN'],
    inheritable: ['KILL'],
    ambient: ['KILL'],
  })
  expect(warnings).toEqual([])
  expect(namesOf(masks, 'classic')).toEqual({
    bounding: ['CHOWN', 'FOWNER', 'KILL'],
    permitted: ['CHOWN', 'KILL'],
    effective: ['CHOWN'],
    inheritable: ['KILL'],
    ambient: ['KILL'],
  })
  expect(resolveCapabilities({}).masks).toEqual({
    bounding: 0n,
    effective: 0n,
    inheritable: 0n,
    permitted: 0n,
    ambient: 0n,
  })
})

test('CP-10 what the kernel would refuse is a warning, or strictly an error', () => {
  const sets = {
    bounding: ['KILL'],
    permitted: ['KILL', 'CHOWN'],
    effective: ['KILL', 'MKNOD'],
    inheritable: ['KILL', 'CHOWN'],
    ambient: ['KILL', 'CHOWN'],
  }
  const { masks, warnings } = resolveCapabilities(sets)
  expect(fromMask(masks.effective)).toEqual(['CAP_KILL'])
  expect(fromMask(masks.inheritable)).toEqual(['CAP_KILL'])
  expect(fromMask(masks.ambient)).toEqual(['CAP_KILL'])
  expect(warnings).toEqual([
    'effective capabilities are ignored: CAP_MKNOD: an effective capability must be permitted too',
    'inheritable capabilities are ignored: CAP_CHOWN: an inheritable capability must be in the bounding set too',
    'ambient capabilities are ignored: CAP_CHOWN: an ambient capability must be permitted and inheritable too',
  ])
  expect(() => resolveCapabilities(sets, { strict: true })).toThrow(
    expect.objectContaining({ field: 'capabilities.effective', value: 'CAP_MKNOD' }),
  )
})

test.each([
  ['a list', ['KILL']],
  ['null', null],
  ['a name for a list', { bounding: 'KILL' }],
  ['an unknown set', { bound: [] }],
  ['a number for a name', { bounding: [5] }],
])('EV-113 %s is no configuration of capabilities', (_, sets) => {
  expect(() => resolveCapabilities(sets as never)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})

test('CP-11 no default puts anything into the inheritable or ambient set', () => {
  for (const list of [SPEC_CAPABILITIES, OCI_CAPABILITIES, ENGINE_CAPABILITIES]) {
    const { masks, warnings } = resolveCapabilities(capabilitySets(list), { strict: true })
    expect(warnings).toEqual([])
    expect(masks.inheritable | masks.ambient).toBe(0n)
    expect([masks.effective, masks.permitted]).toEqual([masks.bounding, masks.bounding])
    expect(fromMask(masks.bounding)).toHaveLength(list.length)
  }
})

test('CP-15 the default set of the specification of 2015', () => {
  const row =
    'NET_RAW NET_BIND_SERVICE AUDIT_READ AUDIT_WRITE DAC_OVERRIDE SETFCAP SETPCAP SETGID SETUID MKNOD CHOWN FOWNER FSETID KILL SYS_CHROOT'
  expect(SPEC_CAPABILITIES).toEqual(row.split(' ').map(name => `CAP_${name}`))
})
