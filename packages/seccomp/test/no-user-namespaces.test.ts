import { compile, noUserNamespaces, simulate, syscallNumber } from '@libcontainer/seccomp'
import { expect, test } from 'vitest'

const NEWUSER = 0x10000000
const NEWNET = 0x40000000

test.each(['x86_64', 'aarch64', 's390x'] as const)(
  'BY-05 %s: new user namespaces are refused, alone or with others, and nothing else',
  arch => {
    const { filter } = compile(noUserNamespaces(arch), { arch })
    const verdict = (name: string, ...args: number[]): unknown =>
      simulate(filter, { arch, nr: syscallNumber(arch, name)!, args })
    const allowed = { action: 'SCMP_ACT_ALLOW' }
    const refused = (errno: number): object => expect.objectContaining({ action: 'SCMP_ACT_ERRNO', data: errno })
    const flags = (value: number): number[] => (arch === 's390x' ? [0, value] : [value, 0])
    for (const value of [NEWUSER, NEWUSER | NEWNET | 17]) {
      expect(verdict('unshare', value)).toEqual(refused(28))
      expect(verdict('clone', ...flags(value))).toEqual(refused(28))
    }
    expect(verdict('clone3')).toEqual(refused(38))
    for (const value of [0, NEWNET, 17]) {
      expect(verdict('unshare', value)).toEqual(allowed)
      expect(verdict('clone', ...flags(value))).toEqual(allowed)
    }
    expect(verdict('getpid')).toEqual(allowed)
  },
)
