import {
  assembleDeviceProgram,
  checkDeviceRule,
  DevicePolicy,
  type DeviceRule,
  formatDeviceRule,
  parseDeviceRule,
} from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runDeviceProgram } from './bpf.js'

const c = (text: string, allow = true): DeviceRule => parseDeviceRule(text, allow)
const denyAll: DeviceRule = { allow: false, type: 'a' }
const allowAll: DeviceRule = { allow: true, type: 'a' }
const lines = (policy: DevicePolicy, from?: DevicePolicy): string[] =>
  policy
    .writes(from)
    .map(({ file, value, skip }) => `${file}: ${value.replaceAll('\n', ', ')}${skip ? ` ?${skip}` : ''}`)

describe('rules', () => {
  test('DV-08 as text, both ways', () => {
    for (const text of ['c 1:3 rwm', 'b *:* m', 'c 136:* rw', 'a *:* rwm']) {
      expect(formatDeviceRule(parseDeviceRule(text, true))).toBe(text)
    }
    expect(parseDeviceRule('a', false)).toMatchObject({ allow: false, type: 'a' })
  })

  test('EV-154 no access, other letters, other types, numbers beside `a`', () => {
    const bad: [unknown, string][] = [
      [{ allow: true, type: 'c', access: '' }, 'access'],
      [{ allow: true, type: 'c' }, 'access'],
      [{ allow: true, type: 'c', access: 'rx' }, 'access'],
      [{ allow: true, type: 'c', access: 'rr' }, 'access'],
      [{ allow: true, type: 'p', access: 'r' }, 'type'],
      [{ allow: true, type: 'a', access: 'r' }, 'access'],
      [{ allow: true, type: 'a', major: 1 }, 'major'],
      [{ allow: true, type: 'c', major: -1, access: 'r' }, 'major'],
      [{ allow: true, type: 'c', minor: 2 ** 32, access: 'r' }, 'minor'],
      [{ type: 'c', access: 'r' }, 'allow'],
    ]
    for (const [rule, field] of bad) {
      expect(() => checkDeviceRule('devices[2]', rule)).toThrow(
        expect.objectContaining({ code: 'ConfigInvalid', field: `devices[2].${field}` }),
      )
    }
    expect(() => parseDeviceRule('c 1:3', true)).toThrow(ConfigInvalid)
  })
})

describe('policies', () => {
  test('DV-14 later rules win, and the same device is kept once', () => {
    const policy = DevicePolicy.of([allowAll, denyAll, c('c 1:3 r'), c('c 1:3 w'), c('c 1:5 rwm'), c('c 1:5 m', false)])
    expect(policy.allowsByDefault).toBe(false)
    expect(policy.exceptions.map(formatDeviceRule)).toEqual(['c 1:3 rw', 'c 1:5 rw'])
    expect(DevicePolicy.of([]).exceptions).toEqual([])
    expect(DevicePolicy.of([allowAll]).isAllowAll).toBe(true)
    expect(DevicePolicy.of([allowAll, c('b *:* w', false)]).isAllowAll).toBe(false)
  })

  test('DV-14 a wildcard takes away from all that it covers', () => {
    const policy = DevicePolicy.of([c('c 1:3 rw'), c('c 5:* rw'), c('c *:* w', false)])
    expect(policy.exceptions.map(formatDeviceRule)).toEqual(['c 1:3 r', 'c 5:* r'])
  })

  test('EV-155 a hole in a wildcard is refused, from either side', () => {
    expect(() => DevicePolicy.of([c('c *:* rwm'), c('c 1:3 w', false)])).toThrow(
      expect.objectContaining({ field: 'devices[1]', hint: expect.stringContaining('one by one') }),
    )
    expect(() => DevicePolicy.of([c('c 1:* r'), c('c *:3 r', false)])).toThrow(ConfigInvalid)
    expect(() => DevicePolicy.of([allowAll, c('c 1:* r', false), c('c 1:3 r')])).toThrow(ConfigInvalid)
    // What the wildcard does not grant can be taken away.
    expect(DevicePolicy.of([c('c *:* m'), c('c 1:3 w', false)]).exceptions).toHaveLength(1)
  })

  test('CG-36 a new v1 cgroup: the default, then the exceptions', () => {
    expect(lines(DevicePolicy.of([c('c 1:3 rwm'), c('c 1:5 rw')]))).toEqual([
      'devices.deny: a',
      'devices.allow: c 1:3 rwm, c 1:5 rw',
    ])
    expect(lines(DevicePolicy.of([allowAll, c('c 1:3 w', false)]))).toEqual([
      'devices.allow: a',
      'devices.deny: c 1:3 w',
    ])
  })

  test('CG-36 a used v1 cgroup: only the difference, and first what is added', () => {
    const from = DevicePolicy.parse('c 1:3 rwm\nc 1:5 r\nb 8:0 r\n')
    expect(lines(DevicePolicy.of([c('c 1:3 rw'), c('c 1:5 rw'), c('b 8:0 r')]), from)).toEqual([
      'devices.allow: c 1:5 w',
      'devices.deny: c 1:3 m',
    ])
    expect(lines(from, from)).toEqual([])
    expect(lines(DevicePolicy.of([c('c 1:3 r')]), DevicePolicy.parse('a *:* rwm\n'))[0]).toBe('devices.deny: a')
    // What it denied before is not shown: allowed anew, unless it has children, whose kernel refuses that.
    expect(lines(DevicePolicy.of([allowAll, c('c 1:3 w', false)]), DevicePolicy.parse('a *:* rwm\n'))).toEqual([
      'devices.allow: a ?EINVAL',
      'devices.deny: c 1:3 w',
    ])
  })

  test('CG-36 what the list shows afterwards', () => {
    const policy = DevicePolicy.of([c('c 1:3 rw')])
    expect(policy.isShownBy(DevicePolicy.parse('c 1:3 rw\n'))).toBe(true)
    expect(policy.isShownBy(DevicePolicy.parse('c 1:3 r\n'))).toBe(false)
    expect(policy.isShownBy(DevicePolicy.parse('c 1:3 rwm\n'))).toBe(false)
    expect(policy.isShownBy(DevicePolicy.parse('a *:* rwm\n'))).toBe(false)
  })
})

describe('against the plain reading of ordered rules', () => {
  const number = fc.constantFrom(undefined, 1, 2, 2 ** 31)
  const rule: fc.Arbitrary<DeviceRule> = fc.oneof(
    { weight: 1, arbitrary: fc.record({ allow: fc.boolean(), type: fc.constant('a' as const) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        allow: fc.boolean(),
        type: fc.constantFrom('b' as const, 'c' as const),
        major: number,
        minor: number,
        access: fc.constantFrom('r', 'w', 'm', 'rw', 'rwm'),
      }),
    },
  )
  const devices = (['b', 'c'] as const).flatMap(type =>
    [1, 2, 3, 2 ** 31].flatMap(major => [1, 2, 3].map(minor => ({ type, major, minor }))),
  )

  /** The last rule that speaks of the device and the access decides. */
  function allowed(rules: readonly DeviceRule[], device: (typeof devices)[number], access: string): boolean {
    const last = rules.findLast(
      ({ type = 'a', major, minor, access: letters = 'rwm' }) =>
        (type === 'a' || type === device.type) &&
        (major === undefined || major === device.major) &&
        (minor === undefined || minor === device.minor) &&
        letters.includes(access),
    )
    return last?.allow ?? false
  }

  const policyOf = (rules: readonly DeviceRule[]): DevicePolicy | undefined => {
    try {
      return DevicePolicy.of(rules)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigInvalid)
      return undefined
    }
  }

  test('DV-14 CG-60 the program allows exactly what the rules allow', () => {
    let ran = 0
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), rules => {
        const policy = policyOf(rules)
        if (policy === undefined) return
        ran++
        const program = assembleDeviceProgram(policy)
        for (const device of devices) {
          for (const access of ['r', 'w', 'm']) {
            expect(runDeviceProgram(program, device, access)).toBe(allowed(rules, device, access))
          }
        }
      }),
      { numRuns: 300 },
    )
    expect(ran).toBeGreaterThan(100)
  })

  test('CG-60 an access of two kinds needs both from one rule, and is denied for either', () => {
    const null_ = { type: 'c', major: 1, minor: 3 } as const
    expect(runDeviceProgram(assembleDeviceProgram(DevicePolicy.of([c('c 1:3 r')])), null_, 'rw')).toBe(false)
    expect(runDeviceProgram(assembleDeviceProgram(DevicePolicy.of([c('c 1:3 rw')])), null_, 'rw')).toBe(true)
    const some = DevicePolicy.of([allowAll, c('c 1:3 w', false)])
    expect(runDeviceProgram(assembleDeviceProgram(some), null_, 'rw')).toBe(false)
    expect(runDeviceProgram(assembleDeviceProgram(some), null_, 'r')).toBe(true)
  })

  test('CG-36 the writes of v1 lead from any policy to any other', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), fc.array(rule, { maxLength: 5 }), (before, after) => {
        const [from, to] = [policyOf(before), policyOf(after)]
        if (from === undefined || to === undefined) return
        const kernel = new Kernel()
        for (const write of from.writes()) kernel.write(write)
        const shown = DevicePolicy.parse(kernel.list)
        for (const write of to.writes(shown)) kernel.write(write)
        expect([kernel.allow, [...kernel.exceptions].sort()]).toEqual([
          to.allowsByDefault,
          to.exceptions
            .map(({ type, major = '*', minor = '*', access }) => [`${type} ${major}:${minor}`, access])
            .sort(),
        ])
        expect(to.isShownBy(DevicePolicy.parse(kernel.list))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

/** v1's devices controller: `a` resets, and an exception is only ever met by its own numbers. */
class Kernel {
  allow = true
  exceptions = new Map<string, string>()

  write({ file, value }: { file: string; value: string }): void {
    const allow = file === 'devices.allow'
    for (const line of value.split('\n')) {
      const [type, numbers = '', access = ''] = line.split(' ')
      const key = `${type} ${numbers}`
      const old = this.exceptions.get(key) ?? ''
      if (type === 'a') {
        this.allow = allow
        this.exceptions.clear()
      } else if (allow === this.allow) {
        const left = [...old].filter(letter => !access.includes(letter)).join('')
        if (left === '') this.exceptions.delete(key)
        else this.exceptions.set(key, left)
      } else {
        this.exceptions.set(key, [...'rwm'].filter(letter => (old + access).includes(letter)).join(''))
      }
    }
  }

  get list(): string {
    if (this.allow) return 'a *:* rwm\n'
    return [...this.exceptions].map(([key, access]) => `${key} ${access}\n`).join('')
  }
}
