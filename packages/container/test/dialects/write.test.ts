import {
  type ContainerConfig,
  type DialectConfig,
  type DialectSource,
  detectDialect,
  type ReadOptions,
  readConfig,
  readConfig2014,
  readConfig2015,
  readConfig2026,
  resolveConfig,
  writeConfig2014,
  writeConfig2015,
  writeConfig2026,
} from '@libcontainer/container'
import { nsinitProfile, type Profile } from '@libcontainer/seccomp'
import { ConfigInvalid, parseJson, stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { box, file2014, file2015, file2026 } from './files.js'
import { meaning } from './meaning.js'

interface Dialect {
  year: string
  file: object
  read: (value: unknown, options?: ReadOptions) => DialectConfig
  write: (source: DialectSource) => Record<string, unknown>
}
const dialects: Dialect[] = [
  { year: '2014', file: file2014, read: readConfig2014, write: writeConfig2014 },
  { year: '2015', file: file2015, read: readConfig2015, write: writeConfig2015 },
  { year: '2026', file: file2026, read: readConfig2026, write: writeConfig2026 },
]

/** Through the text of a file, as it would lie on disk. */
const stored = (file: object): object => parseJson(stringifyJson(file, '\t')) as object

/** A file with some of its fields gone, at any depth. */
function thinned(value: unknown, keep: () => boolean): unknown {
  if (Array.isArray(value)) return value.filter(keep).map(each => thinned(each, keep))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(keep)
      .map(([key, each]) => [key, thinned(each, keep)]),
  )
}

/** A file with one value somewhere replaced, or one added. */
function broken(value: unknown, path: readonly number[], other: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined || typeof value !== 'object' || value === null) return other
  const keys = Object.keys(value)
  const copy = Array.isArray(value) ? [...value] : { ...value }
  const key = keys[first % (keys.length + 1)] ?? (Array.isArray(value) ? keys.length : 'other')
  ;(copy as Record<string, unknown>)[key] = broken((value as Record<string, unknown>)[key], rest, other)
  return copy
}

const bits = fc.infiniteStream(fc.integer({ min: 0, max: 9 }))
const path = fc.array(fc.nat(40), { minLength: 1, maxLength: 5 })
const hostile = fc.oneof(
  // Through text, where -0 is 0.
  fc.jsonValue({ maxDepth: 3 }).map(value => parseJson(stringifyJson(value))),
  fc.bigInt(),
  fc.constantFrom<unknown>(
    -1,
    0,
    1.5,
    2 ** 53,
    1e300,
    '',
    '/',
    '..',
    'a\0b',
    '\ud800',
    '__proto__',
    [],
    {},
    null,
    [null],
    [[]],
  ),
)

/** Nothing but ConfigInvalid comes out of it, with the field in its message. */
function settled<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    expect(error.message.startsWith(error.field)).toBe(true)
    return undefined
  }
}

describe.each(dialects)('$year', ({ year, file, read, write }) => {
  test(`D-01 ${year}: write(read(file)) means what the file means`, () => {
    const first = read(stored(file), box)
    const written = write(first)
    expect(detectDialect(written)).toBe(year)
    const again = read(stored(written), box)
    expect(meaning(again.config)).toEqual(meaning(first.config))
    expect(again.process).toEqual(first.process)
    expect(again.version).toBe(first.version)
  })

  test(`D-01 ${year}: …whatever of the file is left`, () => {
    const part = fc.property(bits, stream => {
      const keep = (): boolean => stream.next().value !== 0
      const some = thinned(file, keep)
      const first = settled(() => read(some, box))
      if (first === undefined) return
      const again = read(stored(write(first)), box)
      expect(meaning(again.config)).toEqual(meaning(first.config))
      expect(again.process).toEqual(first.process)
    })
    fc.assert(part, { numRuns: 150 })
  })

  test(`D-01 ${year}: no JSON whatever makes reading throw anything but ConfigInvalid`, () => {
    fc.assert(
      fc.property(hostile, value => void settled(() => read(value, box))),
      { numRuns: 150 },
    )
    const mutant = fc.property(
      path,
      hostile,
      (where, other) => void settled(() => read(broken(file, where, other), box)),
    )
    fc.assert(mutant, { numRuns: 400 })
  })

  test(`D-01 ${year}: what was read can be written, or is refused by name`, () => {
    const mutant = fc.property(path, hostile, (where, other) => {
      const first = settled(() => read(broken(file, where, other), box))
      const written = first && settled(() => write(first))
      if (first === undefined || written === undefined) return
      const again = settled(() => read(stored(written), box))
      if (again !== undefined) expect(meaning(again.config)).toEqual(meaning(first.config))
    })
    fc.assert(mutant, { numRuns: 200 })
  })
})

test('D-01 telling dialects apart never throws anything but ConfigInvalid, and neither does reading what was told', () => {
  const files = dialects.map(({ file }) => file)
  const mutant = fc.property(fc.nat(2), path, hostile, (which, where, other) => {
    void settled(() => readConfig(broken(files[which], where, other), box))
  })
  fc.assert(mutant, { numRuns: 200 })
  fc.assert(fc.property(hostile, value => void settled(() => readConfig(value, box))))
})

test('D-01 telling dialects apart', () => {
  const told = (value: object): string => detectDialect(value)
  expect(told({})).toBe('own')
  expect(told({ rootfs: '/a', hostname: 'x' })).toBe('own')
  expect(told({ rootfs: 'rootfs', namespaces: ['mnt'], seccomp: null })).toBe('own')
  expect(told({ namespaces: [{ kind: 'net', path: '/x' }] })).toBe('own')
  expect(told({ rootfs: '/a', hooks: {}, sysctl: {}, labels: [], umask: 0, scheduler: {} })).toBe('own')
  expect(told({ rootfs: '/a', readonlyfs: true, hooks: {} })).toBe('2026')
  expect(told({ rootfs: '/a', process: { args: [] }, mounts: [] })).toBe('own')
  expect(told({ namespaces: { NEWNS: true } })).toBe('2014')
  expect(told({ hostname: 'x', tty: true })).toBe('2014')
  expect(told({ root_fs: '/a', namespaces: [{ type: 'NEWNS' }] })).toBe('2014')
  expect(told({ cgroups: { allowed_devices: [{ major_number: 1 }] } })).toBe('2014')
  expect(told({ namespaces: [{ type: 'NEWNS' }] })).toBe('2015')
  expect(told({ rootfs: '/a', readonlyfs: true })).toBe('2015')
  expect(told({ mounts: [{ destination: '/a', device: 'tmpfs' }] })).toBe('2015')
  expect(told({ rootfs: '/a', capabilities: { Bounding: [] } })).toBe('2026')
  expect(told({ rootfs: '/a', rootPropagation: 540672 })).toBe('2026')
  expect(told({ rootfs: '/a', namespaces: [{ type: 'NEWNS' }], sysctl: {} })).toBe('2026')
  expect(told({ id: 'x', init_process_pid: 1, config: {} })).toBe('2026')
  expect(told({ ociVersion: '1.0.0', process: {} })).toBe('oci')
  for (const value of [null, [], 'x', 7, undefined]) expect(() => detectDialect(value)).toThrow(ConfigInvalid)
})

describe('D-01 writing', () => {
  test.each(dialects.slice(1))(
    'D-01 $year: a config with nothing said, and one with every default said, are the same file',
    ({ write, read }) => {
      const config: ContainerConfig = { rootfs: '/srv/box', cgroups: { path: '/box' } }
      const resolved = resolveConfig('box', config)
      const again = read(stored(write({ config }))).config
      // 2026 writes the default filter down, 2015 leaves it unsaid.
      expect(meaning({ ...again, seccomp: config.seccomp })).toEqual(meaning(config))
      expect(write({ config: resolved })).toEqual(write({ config }))
    },
  )

  test('D-01 each year refuses by name what it cannot say', () => {
    const fields = (write: Dialect['write'], source: Partial<ContainerConfig>, more: object = {}): string => {
      try {
        write({ config: { ...box, rootPropagation: 'rprivate', parentDeathSignal: 9, ...source }, ...more })
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigInvalid)
        return (error as ConfigInvalid).field
      }
      return 'none'
    }
    expect(fields(writeConfig2014, {})).toBe('none')
    expect(fields(writeConfig2014, { rootPropagation: undefined })).toBe('rootPropagation')
    expect(fields(writeConfig2014, { parentDeathSignal: undefined })).toBe('parentDeathSignal')
    expect(fields(writeConfig2014, { seccomp: null })).toBe('seccomp')
    expect(fields(writeConfig2014, { uidMappings: [] })).toBe('uidMappings')
    expect(fields(writeConfig2014, { mounts: [] })).toBe('mounts')
    expect(fields(writeConfig2014, { maskedPaths: ['/x'] })).toBe('maskedPaths')
    expect(fields(writeConfig2014, { readonlyPaths: ['/x'] })).toBe('readonlyPaths')
    expect(fields(writeConfig2014, { cgroups: { pids: { max: 5 } } })).toBe('cgroups.pids.max')
    expect(fields(writeConfig2014, { cgroups: { memory: { swappiness: 5 } } })).toBe('cgroups.memory.swappiness')
    expect(fields(writeConfig2014, { cgroups: { io: { blkioWeight: 10 } } })).toBe('cgroups.io')
    expect(fields(writeConfig2014, { cgroups: { memory: { kernelMax: 5 } } })).toBe('cgroups.memory.kernelMax')
    expect(fields(writeConfig2014, { capabilities: null })).toBe('capabilities')
    expect(fields(writeConfig2014, {}, { process: { umask: 0 } })).toBe('process.umask')
    expect(fields(writeConfig2014, {}, { process: { user: { uid: 1 } } })).toBe('process.user')

    expect(fields(writeConfig2015, {})).toBe('none')
    const disk = { major: 8, minor: 0 }
    expect(fields(writeConfig2015, { cgroups: { memory: { kernelMax: 5 } } })).toBe('none')
    expect(fields(writeConfig2026, { cgroups: { memory: { kernelMax: 5 } } })).toBe('cgroups.memory.kernelMax')
    expect(fields(writeConfig2015, { cgroups: { io: { weight: 10 } } })).toBe('cgroups.io.weight')
    expect(fields(writeConfig2015, { cgroups: { io: { devices: [{ ...disk, leafWeight: 10 }] } } })).toBe(
      'cgroups.io.devices[0].leafWeight',
    )
    expect(fields(writeConfig2015, { cgroups: { hugetlb: { '2MB': { rsvdMax: 1 } } } })).toBe(
      'cgroups.hugetlb.2MB.rsvdMax',
    )
    expect(fields(writeConfig2015, { cgroups: { netCls: { classid: 0 } } })).toBe('cgroups.netCls.classid')
    expect(fields(writeConfig2015, { cgroups: { rdma: { x: { hcaHandle: 1 } } } })).toBe('cgroups.rdma')
    expect(fields(writeConfig2015, { cgroups: { owner: 0 } })).toBe('cgroups.owner')
    expect(fields(writeConfig2015, { cgroups: { checkBeforeUpdate: true } })).toBe('cgroups.checkBeforeUpdate')
    expect(fields(writeConfig2026, { cgroups: { rdma: { x: { hcaHandle: 'max' } } } })).toBe('cgroups.rdma.x.hcaHandle')
    expect(fields(writeConfig2026, { cgroups: { misc: { sev: 1 } } })).toBe('cgroups.misc')
    expect(fields(writeConfig2015, { umask: 0 })).toBe('umask')
    expect(fields(writeConfig2015, { noNewPrivileges: true })).toBe('noNewPrivileges')
    expect(fields(writeConfig2015, { rootPropagation: 'shared' })).toBe('rootPropagation')
    expect(fields(writeConfig2015, { capabilities: { bounding: ['CAP_KILL'] } })).toBe('capabilities')
    expect(fields(writeConfig2015, { mounts: [{ destination: '/x', type: 'ext4' }] })).toBe('mounts[0].type')
    expect(fields(writeConfig2015, { mounts: [{ destination: '/x', source: '/y', options: ['bind', 'rro'] }] })).toBe(
      'mounts[0].options',
    )
    expect(fields(writeConfig2015, { cgroups: { memory: { max: 0 } } })).toBe('cgroups.memory.max')
    expect(fields(writeConfig2015, { cgroups: { memory: { high: 1 } } })).toBe('cgroups.memory.high')
    expect(fields(writeConfig2015, { cgroups: { cpu: { weight: 1 } } })).toBe('cgroups.cpu.weight')
    const mixed = [
      { type: 'c', major: 1, access: 'rwm', allow: true },
      { type: 'c', major: 1, minor: 3, access: 'w', allow: false },
    ] as const
    expect(fields(writeConfig2015, { cgroups: { devices: mixed } })).toBe('cgroups.devices')
    expect(fields(writeConfig2026, { cgroups: { devices: mixed } })).toBe('none')
    const strict = { defaultAction: 'SCMP_ACT_ERRNO' as const }
    expect(fields(writeConfig2015, { noNewPrivileges: true, seccomp: strict })).toBe('seccomp.defaultAction')
    expect(fields(writeConfig2026, { seccomp: strict })).toBe('none')

    expect(fields(writeConfig2026, {}, { process: { cwd: '/' } })).toBe('process.cwd')
    expect(fields(writeConfig2026, { cgroups: { memory: { swapMax: 1 } } })).toBe('cgroups.memory.swapMax')
    expect(fields(writeConfig2026, { unknown: 1 } as object)).toBe('unknown')
  })

  test('SC-01 a filter of names is one of numbers in 2015, where it allows all but a list', () => {
    const { syscalls = [] } = nsinitProfile('low')
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW' as const,
      syscalls: syscalls.filter(({ names }) => names[0] === 'clone'),
    }
    const file = writeConfig2015({ config: { ...box, seccomp, noNewPrivileges: true } })
    expect(file.seccomp).toEqual({
      syscalls: [{ value: expect.any(Number), action: 1, args: [{ index: 0, value: 0x10000000, op: 4 }] }],
    })
    const names = (readConfig2015(file).config.seccomp as Profile).syscalls?.map(rule => rule.names)
    expect(names).toEqual([['clone']])
  })

  test('D-09 limits of 64 bits survive writing', () => {
    const config: ContainerConfig = {
      ...box,
      rlimits: [{ type: 'RLIMIT_CORE', soft: 9007199254740993n, hard: 'unlimited' }],
      cgroups: { memory: { max: 9007199254740993n } },
    }
    for (const { read, write } of dialects.slice(1)) {
      const { rlimits, cgroups } = read(stored(write({ config }))).config
      expect(rlimits).toEqual([{ type: 'RLIMIT_CORE', soft: 9007199254740993n, hard: 18446744073709551615n }])
      expect(cgroups?.memory?.max).toBe(9007199254740993n)
    }
  })

  test('D-01 a config of one year is written in another’s words where those have them', () => {
    const { config } = readConfig2015(file2015)
    const again = readConfig2026(stored(writeConfig2026({ config }))).config
    expect(meaning(again)).toEqual(meaning(config))
    const old = readConfig2014(file2014, box)
    expect(meaning(readConfig2015(writeConfig2015({ config: old.config })).config)).toEqual(meaning(old.config))
  })
})
