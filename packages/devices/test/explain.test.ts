import { readFileSync } from 'node:fs'
import {
  type AllowedDevices,
  allowedAccess,
  DEFAULT_ALLOWED_DEVICES,
  DEFAULT_RULES,
  DENY_ALL,
  type DeviceRule,
  driverName,
  explain,
  formatExplanation,
  formatRule,
  hostDrivers,
  NAMED_DEVICES,
  namedDevice,
  type Pattern,
  parseMisc,
  parseRule,
  ruleOf,
} from '@libcontainer/devices'
import { parseDrivers } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const rules = (...texts: string[]): DeviceRule[] =>
  texts.map(text => parseRule(text.replace(/^[+-]/, ''), !text.startsWith('-')))
const lines = (list: readonly AllowedDevices[]): string[] =>
  list.map(each => formatRule({ ...each, allow: true }).trim() + (each.danger ? ' !' : ''))

test('DV-18 drivers by their majors, and those of the misc major by their minors', () => {
  const text =
    'Character devices:\n  4 /dev/vc/0\n  4 tty\n 10 misc\n136 pts\n\nBlock devices:\n  8 sd\n253 device-mapper\n'
  const drivers = { ...parseDrivers(text), misc: parseMisc('229 fuse\n200 tun\n') }
  expect([...drivers.character]).toEqual([
    [4, ['/dev/vc/0', 'tty']],
    [10, ['misc']],
    [136, ['pts']],
  ])
  expect(driverName(drivers, { type: 'b', major: 253, minor: 3 })).toBe('device-mapper')
  expect(driverName(drivers, { type: 'c', major: 136 })).toBe('pts')
  expect(driverName(drivers, { type: 'c', major: 10, minor: 229 })).toBe('fuse')
  expect(driverName(drivers, { type: 'c', major: 10, minor: 1 })).toBe('misc')
  expect(driverName(drivers, { type: 'c', major: 10 })).toBe('misc')
  expect(driverName(drivers, { type: 'b', major: 4 })).toBeUndefined()
  expect([parseDrivers('').block.size, parseMisc('').size]).toEqual([0, 0])
})

test('DV-18 those of this host', async () => {
  const drivers = await hostDrivers()
  expect(driverName(drivers, { type: 'c', major: 1, minor: 3 })).toBe('mem')
  const text = readFileSync('/proc/devices', 'utf8')
  const all = [...drivers.character, ...drivers.block].flatMap(([major, names]) =>
    names.map(name => `${major} ${name}`),
  )
  expect(all.sort()).toEqual((text.match(/^ *\d+ \S+$/gm) ?? []).map(line => line.trim()).sort())
})

test('devices by name: fuse, tun, kvm', () => {
  const rule = (name: string): string => formatRule(ruleOf(namedDevice(name)))
  expect(['fuse', 'tun', 'net/tun', '/dev/kvm', 'kvm', '/dev/net/tun'].map(rule)).toEqual([
    'c 10:229 rwm',
    ...['c 10:200 rwm', 'c 10:200 rwm'],
    ...['c 10:232 rwm', 'c 10:232 rwm'],
    'c 10:200 rwm',
  ])
  expect(namedDevice('fuse')).toEqual(NAMED_DEVICES.fuse)
  for (const name of ['gpu', '', '/dev', 'toString', '__proto__', undefined])
    expect(() => namedDevice(name as string, 'devices[2]'), String(name)).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid', field: 'devices[2]' }),
    )
  const { path } = NAMED_DEVICES.fuse
  Object.assign(namedDevice('fuse'), { path: '/dev/null' })
  expect(namedDevice('fuse').path).toBe(path)
})

test('the last rule that speaks of a letter decides', () => {
  const list = rules('-a', '+c 1:3 rw', '+c *:* m', '-c 1:3 w', '+c 5:* r')
  const access = (type: 'b' | 'c', major?: number, minor?: number) => allowedAccess(list, { type, major, minor })
  expect(access('c', 1, 3)).toBe('rm')
  expect(access('c', 1, 5)).toBe('m')
  expect(access('c', 5, 9)).toBe('rm')
  expect(access('c', 5)).toBe('rm')
  expect(access('b', 8, 0)).toBe('')
  expect(allowedAccess([], { type: 'c', major: 1, minor: 3 })).toBe('')
  expect(allowedAccess(rules('+a'), { type: 'b', major: 8, minor: 0 })).toBe('rwm')
})

test('what the default rules allow, in words; none of it is dangerous', () => {
  const list = explain([DENY_ALL, ...DEFAULT_RULES])
  expect(formatExplanation(list)).toBe(`  every character device (c *:*): make nodes
  pseudo-terminals (c 136:*): read, write, make nodes
  /dev/null (c 1:3): read, write, make nodes
  /dev/zero (c 1:5): read, write, make nodes
  /dev/full (c 1:7): read, write, make nodes
  /dev/random (c 1:8): read, write, make nodes
  /dev/urandom (c 1:9): read, write, make nodes
  /dev/tty (c 5:0): read, write, make nodes
  /dev/ptmx (c 5:2): read, write, make nodes
  /dev/net/tun (c 10:200): read, write, make nodes
  every block device (b *:*): make nodes
`)
  const danger = explain([DENY_ALL, ...DEFAULT_ALLOWED_DEVICES]).filter(each => each.danger)
  expect(lines(danger)).toEqual(['c 4:0 rwm !', 'c 4:1 rwm !', 'c 5:1 rwm !'])
})

test('exceptions, overlaps, and what says nothing new', () => {
  expect(lines(explain(rules('+a', '-c 1:1 rwm')))).toEqual(['c *:* rwm !', 'c 1:1', 'b *:* rwm !'])
  expect(explain(rules('+a', '-c 1:1 rwm'))[1]).toMatchObject({ name: '/dev/mem', allows: 'nothing' })
  expect(lines(explain(rules('+c 136:* rw', '+c 136:3 rw', '-c 136:3 m')))).toEqual(['c 136:* rw'])
  expect(lines(explain(rules('+c 5:* r', '+c *:2 w')))).toEqual(['c *:2 w !', 'c 5:* r !', 'c 5:2 rw'])
  expect(lines(explain(rules('+c *:2 r', '+c 5:* w', '-c *:2 w')))).toEqual(['c *:2 r !', 'c 5:* w !', 'c 5:2 r'])
  expect(explain([])).toEqual([])
  expect(formatExplanation(explain(rules('+b 8:* r', '+c 240:7 w', '+c 240:* m')))).toBe(
    `  character devices of driver 240 (c 240:*): make nodes
  number 7 of character devices of driver 240 (c 240:7): write, make nodes
! SCSI disks (b 8:*): read
    disks of the host: whoever opens one reads and writes all files on it
`,
  )
  const drivers = { ...parseDrivers('Character devices:\n240 widget\n\nBlock devices:\n'), misc: new Map() }
  expect(explain(rules('+c 240:7 w', '+c 240:* m'), drivers).map(({ name }) => name)).toEqual([
    'widget',
    'number 7 of widget',
  ])
})

test('the list is all that the rules allow: the narrowest entry is the answer for each device', () => {
  const few = fc.option(fc.nat(2), { nil: undefined })
  const rule = fc
    .record({
      type: fc.constantFrom('a', 'b', 'c'),
      major: few,
      minor: few,
      access: fc.constantFrom('r', 'w', 'm', 'rw', 'wm', 'rwm'),
      allow: fc.boolean(),
    })
    .map(each => (each.type === 'a' ? { type: 'a', access: 'rwm', allow: each.allow } : each) as DeviceRule)
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), list => {
      const entries = explain(list)
      for (const type of ['b', 'c'] as const)
        for (let major = 0; major < 4; major++)
          for (let minor = 0; minor < 4; minor++) {
            const fits = entries.filter(
              each =>
                each.type === type &&
                [undefined, major].includes(each.major) &&
                [undefined, minor].includes(each.minor),
            )
            const width = ({ major, minor }: Pattern): number =>
              Number(!major && major !== 0) + Number(!minor && minor !== 0)
            const least = Math.min(...fits.map(width))
            const said = new Set(fits.filter(each => width(each) === least).map(({ access }) => access))
            expect([...(fits.length === 0 ? [''] : said)]).toEqual([allowedAccess(list, { type, major, minor })])
          }
    }),
  )
})
