import {
  CAPABILITIES,
  type CapabilityMasks,
  capabilitySets,
  dangerous,
  ENGINE_CAPABILITIES,
  explain,
  formatExplanation,
  OCI_CAPABILITIES,
  resolveCapabilities,
  toMask,
} from '@libcontainer/capabilities'
import { expect, test } from 'vitest'

const NONE: CapabilityMasks = { bounding: 0n, effective: 0n, inheritable: 0n, permitted: 0n, ambient: 0n }
const masksOf = (names: readonly string[]) => resolveCapabilities(capabilitySets(names)).masks

test('every capability says what it allows, and those of newer kernels that nobody knows', () => {
  const all = explain({ ...NONE, effective: toMask(CAPABILITIES) | (1n << 41n) })
  expect(all.map(({ name }) => name)).toEqual([...CAPABILITIES, 'CAP_41'])
  expect(new Set(all.map(({ allows }) => allows)).size).toBe(42)
  expect(all.at(-1)).toMatchObject({ allows: expect.stringMatching(/does not know/), danger: expect.any(String) })
})

test('a capability is told by the best way to it', () => {
  const masks = {
    bounding: toMask(['KILL', 'CHOWN', 'SETUID', 'MKNOD']),
    effective: toMask(['KILL']),
    permitted: toMask(['KILL', 'CHOWN']),
    inheritable: toMask(['SETUID', 'KILL']),
    ambient: 0n,
  }
  expect(Object.fromEntries(explain(masks).map(({ name, reach }) => [name, reach]))).toEqual({
    CAP_CHOWN: 'permitted',
    CAP_KILL: 'effective',
    CAP_SETUID: 'inheritable',
    CAP_MKNOD: 'bounding',
  })
  expect(explain(NONE)).toEqual([])
})

test('the dangerous ones are named: none of the default, some of what engines give', () => {
  expect(dangerous(masksOf(OCI_CAPABILITIES))).toEqual([])
  expect(dangerous(masksOf(ENGINE_CAPABILITIES))).toEqual(['CAP_DAC_OVERRIDE', 'CAP_NET_RAW', 'CAP_MKNOD'])
  const ways = ['CAP_SYS_ADMIN', 'CAP_SYS_MODULE', 'CAP_SYS_PTRACE', 'CAP_SYS_RAWIO', 'CAP_DAC_READ_SEARCH', 'CAP_BPF']
  expect(dangerous(masksOf(CAPABILITIES))).toEqual(expect.arrayContaining(ways))
})

test('as lines for people: dangers first', () => {
  const masks = { ...NONE, effective: toMask(['KILL']), bounding: toMask(['SYS_MODULE', 'KILL', 'CHOWN']) }
  expect(formatExplanation(explain(masks))).toMatch(
    /^! CAP_SYS_MODULE \(by a program.*\n {4}a module.*\n {2}CAP_KILL \(now\): .*\n {2}CAP_CHOWN \(by a program.*\n$/,
  )
  expect(formatExplanation([])).toBe('')
})
