import {
  assembleDeviceProgram,
  checkDeviceRule,
  DevicePolicy,
  type DeviceRule,
  formatDeviceRule,
  parseDeviceRule,
} from '@libcontainer/cgroups'
import { formatRule, major, minor, mkdev, parseRule, parseRules } from '@libcontainer/devices'
import { runDeviceProgram } from '../../packages/cgroups/test/bpf.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

type Device = Parameters<typeof runDeviceProgram>[1]

/** The rules one by one: of those that speak of a device the last decides, and without any nothing is allowed. */
function allows(rules: readonly DeviceRule[], device: Device, letter: string): boolean {
  const speaks = ({ type = 'a', major, minor, access = 'rwm' }: DeviceRule): boolean =>
    type === 'a' ||
    (type === device.type &&
      (major ?? device.major) === device.major &&
      (minor ?? device.minor) === device.minor &&
      access.includes(letter))
  return rules.findLast(speaks)?.allow ?? false
}

/** What the rules say, and the program that the kernel gets, are the same for every device that they name, and those beside it. */
function checkPolicy(rules: readonly DeviceRule[]): void {
  const policy = answer(() => DevicePolicy.of(rules))
  if (policy === undefined) return
  const program = assembleDeviceProgram(policy)
  for (const { major = 7, minor = 9 } of rules.slice(0, 12)) {
    for (const type of ['b', 'c'] as const) {
      for (const device of [
        { type, major, minor },
        { type, major, minor: minor ^ 1 },
        { type, major: major ^ 1, minor },
      ]) {
        for (const letter of 'rwm')
          same(
            runDeviceProgram(program, device, letter),
            allows(rules, device, letter),
            `${letter} of ${JSON.stringify(device)}`,
          )
      }
    }
  }
}

/** Lines of rules, each behind `+` or `-`; two packages read them, and the kernel's program must do what they say. */
export function fuzz(data: Uint8Array): void {
  const rules: DeviceRule[] = []
  for (const line of textOf(data).split('\n').slice(0, 64)) {
    const [text, allow] = [line.slice(1), line[0] !== '-']
    const rule = answer(() => parseRule(text, allow))
    const own = answer(() => parseDeviceRule(text, allow))
    if (own !== undefined) {
      checkDeviceRule('rule', own)
      same(
        formatDeviceRule(parseDeviceRule(formatDeviceRule(own), allow)),
        formatDeviceRule(own),
        'written and read again',
      )
      rules.push(own)
    }
    if (rule === undefined) continue
    const written = formatRule(rule)
    same(parseRule(written, allow), rule, 'written and read again')
    hold(
      /^(a \*:\* rwm|[bc] (\*|\d+):(\*|\d+) r?w?m?)$/.test(written),
      `a rule that the kernel does not read: ${written}`,
    )
    same(
      formatDeviceRule(parseDeviceRule(written, allow)).replace(/[rwm]+$/, ''),
      written.replace(/[rwm]+$/, ''),
      'the two readers',
    )
    checkNumbers(rule.major, rule.minor)
  }
  answer(() => parseRules(textOf(data)))
  checkPolicy(rules)
}

function checkNumbers(high = 0, low = 0): void {
  const number = answer(() => mkdev(high, low))
  if (number !== undefined) same([major(number), minor(number)], [high, low], 'a device number taken apart')
}

export function seeds(): string[] {
  return [
    '-a *:* rwm\n+c 1:3 rwm\n+c *:* m\n+b *:* m\n-c 5:1 w\n',
    '+a\n-b 8:* rw\n-c 10:229 rwm\n+b 8:0 r\n',
    '+c 4294967295:0 m\n+b 0:4294967295 r\n+c 1:3 rr\n',
  ]
}
