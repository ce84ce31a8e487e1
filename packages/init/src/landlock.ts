import { ConfigInvalid, kernelString, type Step, slot } from '@libcontainer/sys'

/*
 * Landlock: what a process may do with files and ports beyond what their permissions allow it, said by whoever starts it. It needs no right, and
 * nobody takes it off again: landlock(7).
 */

/** Rights of files and directories: their bits of linux/landlock.h, and the version of the ABI that has them. Names as setpriv(1) has them. */
export const landlockRights = {
  execute: [0, 1],
  'write-file': [1, 1],
  'read-file': [2, 1],
  'read-dir': [3, 1],
  'remove-dir': [4, 1],
  'remove-file': [5, 1],
  'make-char': [6, 1],
  'make-dir': [7, 1],
  'make-reg': [8, 1],
  'make-sock': [9, 1],
  'make-fifo': [10, 1],
  'make-block': [11, 1],
  'make-sym': [12, 1],
  refer: [13, 2],
  truncate: [14, 3],
  'ioctl-dev': [15, 5],
} as const satisfies Record<string, readonly [bit: number, version: number]>

/** Words for several of them: neither has `execute`, device nodes, or the calls of devices. */
export const landlockGroups = {
  read: ['read-file', 'read-dir'],
  write: [
    'write-file',
    'truncate',
    'remove-dir',
    'remove-file',
    'make-dir',
    'make-reg',
    'make-sock',
    'make-fifo',
    'make-sym',
    'refer',
  ],
} as const satisfies Record<string, readonly (keyof typeof landlockRights)[]>

/** What a process cannot reach outside of its own restriction: their bits. */
export const landlockScopes = { 'abstract-unix-socket': 0, signal: 1 } as const

export type LandlockRight = keyof typeof landlockRights | keyof typeof landlockGroups

/** What is allowed at a path, and beneath it where it is a directory. */
export interface LandlockRule {
  /** Absolute, in the container, whose links are followed. */
  readonly path: string
  /** What the running kernel does not know it does not restrict. */
  readonly allow: readonly LandlockRight[]
  /** Goes without this rule where there is no such path. Default: false. */
  readonly optional?: boolean | undefined
}

/** At least one of its parts; what none of them names stays free. */
export interface Landlock {
  /** What may be done with files: nothing but this, of all the rights that the running kernel knows. */
  readonly paths?: readonly LandlockRule[] | undefined
  /** The TCP ports that may be bound, and no others; 0 is one of the kernel's choice. Linux 6.7 */
  readonly bindTcp?: readonly number[] | undefined
  /** The TCP ports that may be connected to, and no others. Linux 6.7 */
  readonly connectTcp?: readonly number[] | undefined
  /** Shuts off abstract UNIX sockets of other processes, and signals to them. Linux 6.12 */
  readonly scope?: readonly (keyof typeof landlockScopes)[] | undefined
}

/** From which version of the ABI on a part is known, and the kernel that brought it. */
const NEEDS = { paths: [1, '5.13'], bindTcp: [4, '6.7'], connectTcp: [4, '6.7'], scope: [6, '6.12'] } as const
const BIND_TCP = 1
const CONNECT_TCP = 2

/**
 * Refuses what cannot be a restriction. Pure.
 *
 * @throws {ConfigInvalid} by field
 */
export function checkLandlock(value: unknown, field: string): asserts value is Landlock {
  const { paths, bindTcp, connectTcp, scope } = objectOf(value, field, Object.keys(NEEDS)) as Landlock
  const parts = [paths, bindTcp, connectTcp, scope]
  if (parts.every(part => part === undefined))
    throw new ConfigInvalid(field, value, `must restrict something: ${Object.keys(NEEDS).join(', ')}`)
  for (const [i, rule] of listOf(paths, `${field}.paths`).entries()) checkRule(rule, `${field}.paths[${i}]`)
  for (const [name, ports] of Object.entries({ bindTcp, connectTcp }))
    for (const [i, port] of listOf(ports, `${field}.${name}`).entries())
      if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65535)
        throw new ConfigInvalid(`${field}.${name}[${i}]`, port, 'must be a port: 0 to 65535')
  for (const [i, word] of listOf(scope, `${field}.scope`).entries())
    oneOf(word, Object.keys(landlockScopes), `${field}.scope[${i}]`)
  if (scope?.length === 0) throw new ConfigInvalid(`${field}.scope`, scope, 'must name what is shut off')
}

/**
 * What of a restriction the running kernel has not: nothing is left out in silence. Pure; it has passed {@link checkLandlock}.
 *
 * @param version - of the kernel's ABI, 0 for none: `landlockVersion`
 */
export function landlockProblem(landlock: Landlock, version: number, field: string): ConfigInvalid | undefined {
  if (version === 0)
    return new ConfigInvalid(field, landlock, 'needs Landlock, which this kernel does not have', {
      hint: 'it came with Linux 5.13; a kernel that was built with it may want lsm=landlock,… at boot',
    })
  for (const [part, [needed, kernel]] of Object.entries(NEEDS)) {
    const value = landlock[part as keyof typeof NEEDS]
    if (value !== undefined && version < needed)
      return new ConfigInvalid(
        `${field}.${part}`,
        value,
        `needs version ${needed} of Landlock’s ABI, and this kernel has ${version}`,
        { hint: `it came with Linux ${kernel}` },
      )
  }
  return undefined
}

/** Steps in two parts: rules are made while init may still look at every path, and put in force just before the program. */
export interface LandlockSteps {
  readonly prepare: readonly Step[]
  readonly restrict: readonly Step[]
}

/** @param version - of the kernel's ABI, which has what is asked for: {@link landlockProblem} */
export function landlockSteps({ paths, bindTcp, connectTcp, scope = [] }: Landlock, version: number): LandlockSteps {
  const known = Object.values(landlockRights).reduce(
    (bits, [bit, since]) => (since > version ? bits : bits | (1 << bit)),
    0,
  )
  const network = (bindTcp === undefined ? 0 : BIND_TCP) | (connectTcp === undefined ? 0 : CONNECT_TCP)
  const ruleset = slot('ruleset')
  const allow = (port: number, right: number, verb: string): Step => ({
    op: 'allowPort',
    args: [ruleset, port, right],
    about: `let it ${verb} the TCP port ${port}`,
  })
  return {
    prepare: [
      {
        op: 'createRuleset',
        args: [
          paths === undefined ? 0 : known,
          network,
          scope.reduce((bits, word) => bits | (1 << landlockScopes[word]), 0),
        ],
        about: 'make a ruleset of Landlock',
        into: 'ruleset',
      },
      ...(paths ?? []).map((rule): Step => pathStep(rule, bitsOf(rule.allow) & known)),
      ...(bindTcp ?? []).map(port => allow(port, BIND_TCP, 'bind')),
      ...(connectTcp ?? []).map(port => allow(port, CONNECT_TCP, 'connect to')),
    ],
    restrict: [
      {
        op: 'restrictSelf',
        args: [ruleset],
        about: 'restrict itself to the ruleset',
        hints: { E2BIG: 'a process has at most 16 rulesets of Landlock, those of its ancestors among them' },
      },
    ],
  }
}

const pathStep = ({ path, allow, optional = false }: LandlockRule, bits: number): Step => ({
  op: 'allowBeneath',
  args: [slot('ruleset'), path, bits],
  about: `allow ${allow.join(', ')} beneath ${path}`,
  path,
  ...(optional ? { onError: { ENOENT: 'skip' } } : {}),
  hints: { ENOENT: 'the container has no such path: leave the rule out, or say that it is optional' },
})

const bitsOf = (words: readonly LandlockRight[]): number =>
  words
    .flatMap(word => (isGroup(word) ? landlockGroups[word] : [word]))
    .reduce((bits, name) => bits | (1 << landlockRights[name][0]), 0)

const isGroup = (word: LandlockRight): word is keyof typeof landlockGroups => Object.hasOwn(landlockGroups, word)

function checkRule(value: unknown, field: string): void {
  const { path, allow, optional } = objectOf(value, field, ['path', 'allow', 'optional']) as unknown as LandlockRule
  if (!kernelString(path, `${field}.path`).startsWith('/'))
    throw new ConfigInvalid(`${field}.path`, path, 'must be absolute, in the container')
  const words = [...Object.keys(landlockGroups), ...Object.keys(landlockRights)]
  if (allow === undefined) throw new ConfigInvalid(`${field}.allow`, allow, 'must be a list')
  for (const [i, word] of listOf(allow, `${field}.allow`).entries()) oneOf(word, words, `${field}.allow[${i}]`)
  if (allow.length === 0)
    throw new ConfigInvalid(`${field}.allow`, allow, 'must allow something: what no rule names is refused')
  if (optional !== undefined && typeof optional !== 'boolean')
    throw new ConfigInvalid(`${field}.optional`, optional, 'must be true or false')
}

function objectOf(value: unknown, field: string, keys: readonly string[]): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, `must be an object of ${keys.join(', ')}`)
  for (const [key, other] of Object.entries(value))
    if (!keys.includes(key)) throw new ConfigInvalid(`${field}.${key}`, other, `must be one of ${keys.join(', ')}`)
  return value
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  return value
}

function oneOf(value: unknown, words: readonly string[], field: string): void {
  if (typeof value !== 'string' || !words.includes(value))
    throw new ConfigInvalid(field, value, `must be one of ${words.join(', ')}`)
}
