import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { features, parseResourceLimit, probe, resourceLimits, sysctlPath, writeSysctl } from '@libcontainer/init'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

test('UT-12 names and numbers of resource limits', () => {
  expect(parseResourceLimit('RLIMIT_NOFILE')).toBe('RLIMIT_NOFILE')
  expect(parseResourceLimit(7)).toBe('RLIMIT_NOFILE')
  expect([parseResourceLimit('RLIMIT_NONE'), parseResourceLimit(16), parseResourceLimit('__proto__')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(Object.values(resourceLimits).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i))
  expect(features().resourceLimits).toEqual(Object.keys(resourceLimits))
})

test('UT-12 the numbers are those of this machine’s C headers', requires('program:gcc'), () => {
  const include = '#include <sys/resource.h>\n'
  const lines = Object.keys(resourceLimits).map(name => `value ${name.slice(7)} ${name}`)
  const text = execFileSync('gcc', ['-D_GNU_SOURCE', '-E', '-P', '-x', 'c', '-'], {
    input: `${include}${lines.join('\n')}\n`,
    encoding: 'utf8',
  })
  // The C library names each by an enumerator __RLIMIT_X, whose numbers the preprocessor keeps as text.
  const enumerators = new Map(
    [...text.matchAll(/\b(?:__)?(RLIMIT_\w+) = (\d+)/g)].map(([, name, number]) => [name, Number(number)]),
  )
  expect(enumerators.size).toBeGreaterThan(10)
  for (const [name, number] of enumerators)
    if (name! in resourceLimits) expect(resourceLimits[name!], name).toBe(number)
})

test('UT-12 the path of a kernel parameter is a file below /proc/sys', () => {
  for (const key of ['kernel.ostype', 'net/ipv4/ip_forward', 'vm.overcommit_memory']) {
    expect(existsSync(`/proc/sys/${sysctlPath(key)}`), key).toBe(true)
  }
  // A dot of a name is a slash of the key, as sysctl(8) has it.
  const [device] = readdirSync('/proc/sys/net/ipv4/conf')
  expect(sysctlPath(`net.ipv4.conf.${device}.forwarding`)).toBe(`net/ipv4/conf/${device}/forwarding`)
  expect(writeSysctl('kernel.domainname', 'x')).toMatchObject({
    path: '/proc/sys/kernel/domainname',
    args: ['kernel/domainname', 'x'],
  })
})

test('D-10 the program init is there, and the calls that start it', async () => {
  expect(await probe()).toEqual({
    program: { available: true },
    clone3: { available: true },
    pidfds: { available: true },
  })
})
