import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ConfigInvalid } from '@libcontainer/sys'
import type { Family } from '../address/text.js'
import type { NamespaceTarget } from '../namespace/namespace.js'
import { didYouMean } from './suggest.js'
import { UsageError } from './usage-error.js'

/** What every look takes. */
export interface Look {
  /** The network namespace. Default: that of the command */
  readonly namespace: NamespaceTarget | undefined
  readonly json: boolean
  readonly help: boolean
}

export interface LinkRequest extends Look {
  readonly name: string | undefined
  readonly kind: string | undefined
  readonly master: string | undefined
  readonly up: boolean | undefined
  readonly statistics: boolean
}

export interface AddrRequest extends Look {
  readonly link: string | undefined
  readonly family: Family | undefined
  readonly scope: string | undefined
}

export interface RouteRequest extends Look {
  /** The way of a packet to it alone. */
  readonly address: string | undefined
  readonly family: Family | undefined
  /** A number or a word; `all` for every table. Default: main */
  readonly table: string | undefined
  readonly link: string | undefined
  readonly protocol: string | undefined
  readonly type: string | undefined
}

/** What monitor tells of. */
export const TOPICS = ['link', 'addr', 'route', 'rule', 'neigh', 'fdb', 'nexthop'] as const
export type Topic = (typeof TOPICS)[number]

export interface MonitorRequest extends Look {
  /** Default: all */
  readonly topics: readonly Topic[]
}

export type NetnsRequest =
  | { readonly act: 'help' }
  | { readonly act: 'list'; readonly json: boolean }
  | { readonly act: 'add' | 'delete'; readonly names: readonly string[] }
  | { readonly act: 'attach'; readonly name: string; readonly pid: number }
  | { readonly act: 'id'; readonly name: string; readonly id: number | 'auto' | undefined }
  | { readonly act: 'exec'; readonly namespace: NamespaceTarget; readonly command: readonly string[] }

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const look = {
  netns: { ...text, short: 'n' },
  target: { ...text, short: 't' },
  json: { ...flag, short: 'j' },
  help: { ...flag, short: 'h' },
} as const
const families = {
  family: { ...text, short: 'f' },
  '4': { ...flag, short: '4' },
  '6': { ...flag, short: '6' },
} as const

/** Pure. */
export function parseLink(words: readonly string[]): LinkRequest {
  const options = {
    ...look,
    type: text,
    master: text,
    up: flag,
    down: flag,
    stats: { ...flag, short: 's' },
  } as const
  const { values, positionals } = parse(words, options)
  if (values.up && values.down) throw new UsageError('a link is either --up or --down')
  return {
    ...lookOf(values),
    name: one(positionals, 'link'),
    kind: values.type,
    master: values.master,
    up: values.up ? true : values.down ? false : undefined,
    statistics: values.stats ?? false,
  }
}

/** Pure. */
export function parseAddr(words: readonly string[]): AddrRequest {
  const { values, positionals } = parse(words, { ...look, ...families, dev: text, scope: text })
  const name = one(positionals, 'addr')
  if (name !== undefined && values.dev !== undefined) throw new UsageError('it takes one link: by its name, or --dev')
  return { ...lookOf(values), link: name ?? values.dev, family: familyOf(values), scope: values.scope }
}

/** Pure. */
export function parseRoute(words: readonly string[]): RouteRequest {
  const options = { ...look, ...families, table: text, dev: text, protocol: text, type: text } as const
  const { values, positionals } = parse(words, options)
  const { table, dev: link, protocol, type } = values
  const common = { ...lookOf(values), link }
  if (positionals[0] === 'get' && !common.help) {
    const other = Object.keys(values).find(name =>
      ['table', 'protocol', 'type', ...Object.keys(families)].includes(name),
    )
    if (other !== undefined) throw new UsageError(`route get takes no ${other.length === 1 ? '-' : '--'}${other}`)
    const [, address, ...more] = positionals
    if (address === undefined || more.length > 0) throw new UsageError('route get needs one address')
    return { ...common, address, family: undefined, table, protocol, type }
  }
  const extra = positionals.filter((word, i) => i > 0 || !LISTING.includes(word))[0]
  if (extra !== undefined) {
    const known = ['get', ...LISTING, ...Object.keys(options)]
    throw new UsageError(`route does not know '${extra}'${didYouMean(extra, known)}`)
  }
  return { ...common, address: undefined, family: familyOf(values), table, protocol, type }
}

/** Pure. */
export function parseMonitor(words: readonly string[]): MonitorRequest {
  const { values, positionals } = parse(words, look)
  const topics = positionals.map(word => topicOf(word))
  return { ...lookOf(values), topics: topics.length === 0 ? TOPICS : [...new Set(topics)] }
}

const topicNames: Readonly<Record<string, Topic>> = { address: 'addr', neighbour: 'neigh' }

function topicOf(word: string): Topic {
  const topic = TOPICS.find(each => each === word) ?? (Object.hasOwn(topicNames, word) ? topicNames[word] : undefined)
  if (topic === undefined) throw new UsageError(`monitor does not know '${word}'${didYouMean(word, TOPICS)}`)
  return topic
}

const NETNS = ['list', 'add', 'delete', 'attach', 'id', 'exec'] as const
/** As ip-netns(8) has them. */
const netnsNames: Readonly<Record<string, (typeof NETNS)[number]>> = {
  ls: 'list',
  show: 'list',
  del: 'delete',
  set: 'id',
}

/** Pure. */
export function parseNetns([word = 'list', ...words]: readonly string[]): NetnsRequest {
  if (word === '--help' || word === '-h') return { act: 'help' }
  if (word.startsWith('-')) return parseNetns(['list', word, ...words])
  const act = NETNS.find(each => each === word) ?? (Object.hasOwn(netnsNames, word) ? netnsNames[word] : undefined)
  if (act === undefined) throw new UsageError(`netns does not know '${word}'${didYouMean(word, NETNS)}`)
  if (act === 'exec') return parseExec(words)
  const { values, positionals } = parse(words, { json: look.json, help: look.help })
  if (values.help) return { act: 'help' }
  if (values.json && act !== 'list') throw new UsageError(`netns ${act} shows nothing: it takes no --json`)
  switch (act) {
    case 'list':
      if (positionals.length > 0) throw new UsageError(`netns list takes no '${positionals[0]}'`)
      return { act, json: values.json ?? false }
    case 'add':
    case 'delete':
      if (positionals.length === 0) throw new UsageError(`netns ${act} needs a name`)
      return { act, names: positionals }
    case 'attach': {
      const [name, pid, ...more] = positionals
      if (name === undefined || pid === undefined || more.length > 0)
        throw new UsageError('netns attach needs a name and the number of a process')
      return { act, name, pid: numberOf('PID', pid) }
    }
    case 'id': {
      const [name, id, ...more] = positionals
      if (name === undefined || more.length > 0) throw new UsageError('netns id needs a name, and takes one number')
      return { act, name, id: id === undefined || id === 'auto' ? id : numberOf('ID', id) }
    }
  }
}

/** The options of the command are its own, not ours: what they are is not asked here. */
function parseExec([first, ...rest]: readonly string[]): NetnsRequest {
  if (first === '--help' || first === '-h') return { act: 'help' }
  if (first === undefined || first.startsWith('-')) throw new UsageError('netns exec needs a name, and then a command')
  const command = rest[0] === '--' ? rest.slice(1) : rest
  if (command.length === 0) throw new UsageError('there is no command to run')
  return { act: 'exec', namespace: first, command }
}

interface LookValues {
  readonly netns?: string | undefined
  readonly target?: string | undefined
  readonly json?: boolean | undefined
  readonly help?: boolean | undefined
}

function lookOf({ netns, target, json = false, help = false }: LookValues): Look {
  if (netns !== undefined && target !== undefined) throw new UsageError('it takes either --netns or --target')
  return { namespace: netns ?? (target === undefined ? undefined : numberOf('--target', target)), json, help }
}

interface FamilyValues {
  readonly family?: string | undefined
  readonly '4'?: boolean | undefined
  readonly '6'?: boolean | undefined
}

function familyOf({ family, '4': four, '6': six }: FamilyValues): Family | undefined {
  if ([family !== undefined, four, six].filter(Boolean).length > 1)
    throw new UsageError('it takes one of -4, -6 and --family')
  if (four || family === 'inet') return 'inet'
  if (six || family === 'inet6') return 'inet6'
  if (family === undefined) return undefined
  throw new ConfigInvalid('--family', family, 'must be inet or inet6')
}

/** What lists, in words of ip(8): they may be left out. */
const LISTING: readonly string[] = ['list', 'show', 'ls']

/** What ip(8) does to them, and this command does not. */
const CHANGING: readonly string[] = ['add', 'set', 'change', 'replace', 'delete', 'del', 'flush']

/** The one name, behind a word for listing and ip(8)'s `dev`, which may be left out likewise. */
function one(positionals: readonly string[], command: string): string | undefined {
  const listed = LISTING.includes(positionals[0] ?? '') ? positionals.slice(1) : positionals
  const names = listed.length === 2 && listed[0] === 'dev' ? listed.slice(1) : listed
  if (names.length > 1 && CHANGING.includes(names[0]!))
    throw new UsageError(`${command} shows what is there, and changes nothing: for '${names[0]}' see the functions`)
  if (names.length > 1) throw new UsageError(`${command} takes a name of a link, and not '${names[1]}', too`)
  return names[0]
}

function numberOf(option: string, word: string): number {
  if (!/^\d{1,10}$/.test(word)) throw new ConfigInvalid(option, word, 'must be a whole number')
  return Number(word)
}

function parse<const Options extends NonNullable<ParseArgsConfig['options']>>(
  words: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    const unknown = /^Unknown option '-{1,2}([^']+)'/.exec(message)?.[1]
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || unknown === undefined) throw new UsageError(message)
    const names = Object.keys(options).map(name => `--${name}`)
    const given = unknown.length === 1 ? `-${unknown}` : `--${unknown}`
    throw new UsageError(`there is no option '${given}'${didYouMean(given, names)}`)
  }
}
