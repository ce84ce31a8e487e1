import { ConfigInvalid } from '@libcontainer/sys'
import type { Prefix } from '../address/prefix.js'
import { type Family, familyNumber, familyWord, noAddress } from '../address/text.js'
import { checkLinkName } from '../link/name.js'
import { checkFields } from '../link/values.js'
import {
  attributes,
  be64,
  ip,
  string,
  struct,
  type UnknownAttribute,
  u8,
  u16,
  u32,
  type ValuesOf,
} from '../message/attributes.js'
import { type MessageBody, messageBody, readBody } from '../message/message.js'
import { checkInteger, type FlagOf, FlagWords, MAX_U8, MAX_U32, type WordOf, Words } from '../message/words.js'
import { addressOf, destinationOf } from './spec.js'
import { type RouteProtocol, type RouteTable, routeProtocols, routeTables } from './words.js'

/** struct fib_rule_hdr of linux/fib_rules.h. */
export const ruleHeader = struct(
  { family: u8, toLength: u8, fromLength: u8, tos: u8, table: u8, res1: u8, res2: u8, action: u8, flags: u32 },
  { whole: true },
)

const idRange = struct({ start: u32, end: u32 })
const portRange = struct({ start: u16, end: u16 })

/** FRA_*. */
const ruleAttributes = attributes({
  to: [1, ip],
  from: [2, ip],
  iif: [3, string],
  goto: [4, u32],
  priority: [6, u32],
  mark: [10, u32],
  realms: [11, u32],
  tunnelId: [12, be64],
  suppressGroup: [13, u32],
  suppressPrefixLength: [14, u32],
  table: [15, u32],
  markMask: [16, u32],
  oif: [17, string],
  l3mdev: [19, u8],
  uids: [20, idRange],
  protocol: [21, u8],
  ipProtocol: [22, u8],
  sourcePorts: [23, portRange],
  destinationPorts: [24, portRange],
})

/** FR_ACT_*. */
const ruleActions = new Words({ lookup: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 })
export type RuleAction = WordOf<typeof ruleActions>
const LOOKUP = 1
const GOTO = 2

const INVERT = 2
/** FIB_RULE_* that the kernel sets itself. */
const ruleFlags = new FlagWords({ permanent: 1, unresolved: 4, iif_detached: 8, oif_detached: 16 })
export type RuleFlag = FlagOf<typeof ruleFlags>

/** From one number to another, both included. */
export interface NumberRange {
  start: number
  end: number
}

/** A rule that says which table is looked into. What it does not have is absent: a packet has to fit all that is there. */
export interface Rule {
  family: Family
  /** The lowest is looked at first. */
  priority: number
  action: RuleAction | number
  /** Of `lookup`. */
  table?: RouteTable | number
  /** Of `goto`: the priority of the rule that is next. */
  goto?: number
  /** For packets that do not fit. */
  not?: boolean
  /** A prefix of sources. */
  from?: string
  /** A prefix of destinations. */
  to?: string
  tos?: number
  /** The name of the link that they come in by; `lo` is this machine. */
  iif?: string
  /** The name of the link that a socket is bound to. */
  oif?: string
  mark?: number
  /** The bits of the mark that count. */
  markMask?: number
  uids?: NumberRange
  /** IPPROTO_*. */
  ipProtocol?: number
  sourcePorts?: NumberRange
  destinationPorts?: NumberRange
  tunnelId?: bigint
  realms?: number
  /** Looks into the tables of the VRFs instead of one table. */
  l3mdev?: boolean
  /** Routes whose prefix is of this length or less do not count. */
  suppressPrefixLength?: number
  /** Routes over links of this group do not count. */
  suppressGroup?: number
  protocol?: RouteProtocol | number
  flags?: RuleFlag[]
  unknown?: readonly UnknownAttribute[]
}

/**
 * A rule that is asked for: {@link Rule}, of which everything may be left out. `family` is then that of the prefixes, else `inet`; `action` `lookup`,
 * or `goto` where that is given; `table` `main`; `protocol` `boot`; and the kernel takes for `priority` one less than the first rule but that of the
 * table `local` has.
 */
export type RuleSpec = { [K in keyof Rule]?: Rule[K] | undefined }

const RULE_FIELDS: readonly (keyof RuleSpec)[] = [
  'family',
  'priority',
  'action',
  'table',
  'goto',
  'not',
  'from',
  'to',
  'tos',
  'iif',
  'oif',
  'mark',
  'markMask',
  'uids',
  'ipProtocol',
  'sourcePorts',
  'destinationPorts',
  'tunnelId',
  'realms',
  'l3mdev',
  'suppressPrefixLength',
  'suppressGroup',
  'protocol',
  'flags',
  'unknown',
]

/** The kernel says so where none is set: FRA_SUPPRESS_PREFIXLEN and FRA_SUPPRESS_IFGROUP are -1. */
const UNSET = MAX_U32

/** The message that adds a rule, or the one that deletes it, which is a filter. @throws {ConfigInvalid} that names the field */
export function ruleBody(spec: RuleSpec, act: 'add' | 'delete'): MessageBody {
  checkFields(spec, RULE_FIELDS)
  const adds = act === 'add'
  const from = destinationOf(spec.from, 'from')
  const to = destinationOf(spec.to, 'to')
  const family = familyOfRule(spec, from, to)
  const word = spec.action ?? (spec.goto === undefined ? 'lookup' : 'goto')
  const action = !adds && spec.action === undefined ? 0 : ruleActions.number(word, 'action')
  if (adds && (action === GOTO) !== (spec.goto !== undefined))
    throw new ConfigInvalid('goto', spec.goto, 'must be given with the action goto, and with no other')
  for (const field of ['iif', 'oif'] as const) if (spec[field] !== undefined) checkLinkName(spec[field], field)
  const table = tableOf(spec, adds && action === LOOKUP)
  return messageBody(
    ruleHeader,
    {
      family: familyNumber(family),
      toLength: to?.length ?? 0,
      fromLength: from?.length ?? 0,
      tos: checkInteger(spec.tos ?? 0, 'tos', 0, MAX_U8),
      table: table === undefined || table > MAX_U8 ? 0 : table,
      action,
      flags: spec.not === true ? INVERT : 0,
    },
    ruleAttributes,
    {
      to: to && addressOf(spec.to!),
      from: from && addressOf(spec.from!),
      iif: spec.iif,
      goto: spec.goto,
      priority: spec.priority,
      mark: spec.mark,
      realms: spec.realms,
      tunnelId: spec.tunnelId,
      suppressGroup: spec.suppressGroup,
      suppressPrefixLength:
        spec.suppressPrefixLength === undefined
          ? undefined
          : checkInteger(spec.suppressPrefixLength, 'suppressPrefixLength', 0, family === 'inet' ? 32 : 128),
      table,
      markMask: spec.markMask,
      oif: spec.oif,
      l3mdev: spec.l3mdev === true ? 1 : undefined,
      uids: rangeOf(spec.uids, 'uids', 0),
      protocol: routeProtocols.number(spec.protocol ?? (adds ? 'boot' : undefined), 'protocol'),
      ipProtocol: spec.ipProtocol,
      sourcePorts: rangeOf(spec.sourcePorts, 'sourcePorts', 1),
      destinationPorts: rangeOf(spec.destinationPorts, 'destinationPorts', 1),
      unknown: spec.unknown,
    },
  )
}

/** The rule in a message of the kernel; `undefined` for one of neither IPv4 nor IPv6. @throws {LibcontainerError} `EPROTO` */
export function decodeRule(payload: Uint8Array): Rule | undefined {
  const family = familyWord(payload[0])
  if (family === undefined) return undefined
  const { header, attributes } = readBody(ruleHeader, ruleAttributes, payload)
  const { to, from, table, l3mdev, protocol, suppressGroup, suppressPrefixLength, priority = 0, ...rest } = attributes
  const rule: Rule = {
    family,
    priority,
    action: ruleActions.word(header.action),
    ...plain(rest),
  }
  const id = table ?? header.table
  if (id !== 0) rule.table = routeTables.word(id)
  if (header.fromLength > 0) rule.from = `${from ?? noAddress(family)}/${header.fromLength}`
  if (header.toLength > 0) rule.to = `${to ?? noAddress(family)}/${header.toLength}`
  if (header.tos > 0) rule.tos = header.tos
  if ((header.flags & INVERT) !== 0) rule.not = true
  if (l3mdev !== undefined && l3mdev !== 0) rule.l3mdev = true
  if (protocol !== undefined) rule.protocol = routeProtocols.word(protocol)
  if (suppressPrefixLength !== undefined && suppressPrefixLength !== UNSET)
    rule.suppressPrefixLength = suppressPrefixLength
  if (suppressGroup !== undefined && suppressGroup !== UNSET) rule.suppressGroup = suppressGroup
  const flags = ruleFlags.words(header.flags)
  if (flags.length > 0) rule.flags = flags
  return rule
}

type Plain = Omit<
  ValuesOf<typeof ruleAttributes>,
  'to' | 'from' | 'table' | 'l3mdev' | 'protocol' | 'suppressGroup' | 'suppressPrefixLength' | 'priority'
>
/** Those that a rule has as the attributes have them: what was not there is no key of what was read. */
const plain = (values: Plain): Partial<Rule> => values as Partial<Rule>

function familyOfRule(spec: RuleSpec, from: Prefix | undefined, to: Prefix | undefined): Family {
  const family = spec.family ?? from?.family ?? to?.family ?? 'inet'
  for (const [field, prefix] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (prefix !== undefined && prefix.family !== family)
      throw new ConfigInvalid(field, spec[field], `must be of one family with the rest of the rule, which is ${family}`)
  return family
}

function tableOf({ table, l3mdev }: RuleSpec, needed: boolean): number | undefined {
  if (table !== undefined) {
    // The kernel takes one of the two alone, and says EINVAL.
    if (l3mdev === true)
      throw new ConfigInvalid('table', table, 'must not be given with l3mdev, which has tables of its own')
    return checkInteger(routeTables.number(table, 'table'), 'table', 1, MAX_U32)
  }
  return needed && l3mdev !== true ? routeTables.number('main', 'table') : undefined
}

function rangeOf(range: NumberRange | undefined, field: string, least: number): NumberRange | undefined {
  if (range === undefined) return undefined
  if (range.start < least || range.start > range.end)
    throw new ConfigInvalid(field, range, `must start at ${least} or above, and not end before it starts`)
  return range
}
