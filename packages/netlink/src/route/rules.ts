import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { type Family, familyNumber } from '../address/text.js'
import { messageBody, type NetlinkRequest } from '../message/message.js'
import { NLM_F_CREATE, NLM_F_EXCL } from '../message/wire.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { decodeRule, type Rule, type RuleSpec, ruleBody, ruleHeader } from './rule.js'

const RTM_NEWRULE = 32
const RTM_DELRULE = 33
const RTM_GETRULE = 34

export interface RuleFilter extends Waiting {
  /** Default: both */
  family?: Family | undefined
}

/** Rules of a network namespace, by which the table is found that a packet's route is looked up in: ip-rule(8). */
export class Rules {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All rules, IPv4's first, each family's in their order. */
  list(filter: RuleFilter = {}): Promise<DumpedList<Rule>> {
    return this.#socket.list(dumpRequest(filter))
  }

  /** {@link list} one by one, as the kernel tells them. */
  dump(filter: RuleFilter = {}): Dump<Rule> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /**
   * Adds a rule.
   *
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EEXIST` where there is the same one, `EAFNOSUPPORT` for a kernel that is built without rules
   */
  async add(rule: RuleSpec, { signal }: Waiting = {}): Promise<void> {
    await this.#socket.request({ ...addRuleRequest(rule), signal })
  }

  /**
   * Deletes the first rule that fits all that is given: one that was listed, or less.
   *
   * @throws {ConfigInvalid} for a filter of nothing, which the first rule of all would fit: that of the table `local`
   * @throws {SyscallError} `ENOENT` where none fits
   */
  async delete(rule: RuleSpec, { signal }: Waiting = {}): Promise<void> {
    const { family: _, ...criteria } = rule
    if (Object.values(criteria).every(value => value === undefined))
      throw new ConfigInvalid('priority', undefined, 'must be given, or something else that the rule is known by')
    const body = ruleBody(rule, 'delete')
    await this.#socket.request({ type: RTM_DELRULE, body, about: `delete the rule ${shownRule(rule)}`, signal })
  }
}

/** The request that adds a rule, for a batch of several. @throws {ConfigInvalid} that names the field */
export function addRuleRequest(rule: RuleSpec): NetlinkRequest {
  return {
    type: RTM_NEWRULE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: ruleBody(rule, 'add'),
    about: `add the rule ${shownRule(rule)}`,
  }
}

function dumpRequest({ family, signal }: RuleFilter): DumpRequest<Rule> {
  return {
    type: RTM_GETRULE,
    body: messageBody(ruleHeader, { family: family === undefined ? 0 : familyNumber(family) }),
    about: 'list the rules',
    map: ({ payload }) => decodeRule(payload),
    signal,
  }
}

function shownRule({ priority, from, to, table }: RuleSpec): string {
  const words = [priority === undefined ? '' : `${priority}:`, `from ${from ?? 'all'}`]
  if (to !== undefined) words.push(`to ${to}`)
  if (table !== undefined) words.push(`table ${table}`)
  return words.join(' ').trim()
}
