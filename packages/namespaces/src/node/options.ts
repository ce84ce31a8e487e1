import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ConfigInvalid } from '@libcontainer/sys'
import type { EnterTarget } from '../enter.js'
import type { IdMap } from '../id-map.js'
import { type NamespaceKind, namespaceKinds } from '../kinds.js'
import type { ProgramOptions } from '../program.js'
import type { UnshareConfig } from '../unshare.js'
import { checkWord } from '../validate.js'
import { UsageError } from './usage-error.js'

/** What `list` was asked for. */
export interface ListRequest {
  readonly kinds: readonly NamespaceKind[] | undefined
  readonly json: boolean
  readonly help: boolean
}

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const
const help = { type: 'boolean', short: 'h' } as const
const kind = { type: 'string', multiple: true, short: 'k' } as const

const ofKinds = <Option>(option: Option): Record<NamespaceKind, Option> =>
  Object.fromEntries(namespaceKinds.map(kind => [kind, option])) as Record<NamespaceKind, Option>

/** Pure. */
export function parseList(words: readonly string[]): ListRequest {
  const { values } = parse(words, { kind, json: flag, help })
  return { kinds: values.kind?.map(kindOf), json: values.json ?? false, help: values.help ?? false }
}

/** What `enter` or `unshare` was asked for. */
export interface Request<What> {
  readonly what: What
  readonly command: readonly string[]
  readonly options: Pick<ProgramOptions, 'cwd' | 'user' | 'parentDeathSignal'>
  readonly help: boolean
}

const common = { as: text, cwd: text, help } as const

/** Pure. The command begins at the first word that is no option, or after `--`. */
export function parseEnter(words: readonly string[]): Request<EnterTarget> {
  const { values, command } = split(words, { ...ofKinds(text), target: { ...text, short: 't' }, kind, ...common })
  const paths = Object.fromEntries(
    namespaceKinds.flatMap(kind => (values[kind] === undefined ? [] : [[kind, values[kind]]])),
  )
  const hasPaths = Object.keys(paths).length > 0
  if (!values.help && hasPaths === (values.target !== undefined))
    throw new UsageError('it needs either --target or paths, such as --net /run/netns/blue')
  if (hasPaths && values.kind !== undefined) throw new UsageError('--kind says which of a process: it needs --target')
  const what = hasPaths
    ? { paths }
    : { pid: values.help ? 0 : numberOf('--target', values.target ?? ''), kinds: values.kind?.map(kindOf) }
  return { what, ...restOf(values, command) }
}

/** Pure. */
export function parseUnshare(words: readonly string[]): Request<UnshareConfig> {
  const { values, command } = split(words, {
    ...ofKinds(flag),
    all: flag,
    proc: flag,
    propagation: text,
    'uid-map': texts,
    'gid-map': texts,
    boottime: text,
    monotonic: text,
    ...common,
  })
  const clock = (name: 'boottime' | 'monotonic'): object =>
    values[name] === undefined ? {} : { [name]: { secs: numberOf(`--${name}`, values[name]) } }
  const offsets = { ...clock('boottime'), ...clock('monotonic') }
  const what: UnshareConfig = {
    namespaces: namespaceKinds.filter(kind => values.all || values[kind]),
    uidMappings: values['uid-map']?.map(each => mapOf('--uid-map', each)),
    gidMappings: values['gid-map']?.map(each => mapOf('--gid-map', each)),
    timeOffsets: Object.keys(offsets).length === 0 ? undefined : offsets,
    propagation: values.propagation as UnshareConfig['propagation'],
    proc: values.proc ? '/proc' : undefined,
  }
  return { what, ...restOf(values, command) }
}

/** What `pin` was asked for. */
export interface PinRequest {
  readonly target: number | 'self'
  readonly kind: NamespaceKind
  readonly path: string
  readonly help: boolean
}

/** Pure. */
export function parsePin(words: readonly string[]): PinRequest {
  const options = { target: { ...text, short: 't' }, kind: { ...text, short: 'k' }, help } as const
  const { values, positionals } = parsePositionals(words, options)
  if (values.help) return { target: 'self', kind: 'net', path: '', help: true }
  const [path, ...more] = positionals
  if (values.kind === undefined || path === undefined || more.length > 0)
    throw new UsageError('it needs --kind and one path')
  const target = values.target === undefined ? 'self' : numberOf('--target', values.target)
  return { target, kind: kindOf(values.kind), path, help: false }
}

/** What `unpin` was asked for. Pure. */
export function parseUnpin(words: readonly string[]): { readonly paths: readonly string[]; readonly help: boolean } {
  const { values, positionals } = parsePositionals(words, { help })
  if (!values.help && positionals.length === 0) throw new UsageError('it needs a path')
  return { paths: positionals, help: values.help ?? false }
}

function parsePositionals<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function parse<const Options extends ParseArgsConfig['options']>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The options of the command are its own, not ours: what they are is not asked here. */
function split<const Options extends NonNullable<ParseArgsConfig['options']>>(
  words: readonly string[],
  options: Options,
) {
  const { tokens } = parseArgs({ args: [...words], options, allowPositionals: true, strict: false, tokens: true })
  const first = tokens.find(({ kind }) => kind === 'positional' || kind === 'option-terminator')
  const end = first?.index ?? words.length
  const { values } = parse(words.slice(0, end), options)
  return { values, command: words.slice(first?.kind === 'option-terminator' ? end + 1 : end) }
}

interface CommonValues {
  readonly as?: string | undefined
  readonly cwd?: string | undefined
  readonly help?: boolean | undefined
}

function restOf({ as, cwd, help = false }: CommonValues, command: readonly string[]): Omit<Request<never>, 'what'> {
  if (command.length === 0 && !help) throw new UsageError('there is no command to run')
  return { command, options: { cwd, user: as === undefined ? undefined : userOf(as), parentDeathSignal: 'KILL' }, help }
}

function userOf(text: string): ProgramOptions['user'] {
  const [uid = '', gid = uid, ...more] = text.split(':')
  if (more.length > 0) throw new ConfigInvalid('--as', text, 'must be UID or UID:GID')
  return { uid: numberOf('--as', uid), gid: numberOf('--as', gid) }
}

function mapOf(option: string, text: string): IdMap {
  const parts = text.split(':')
  if (parts.length !== 3) throw new ConfigInvalid(option, text, 'must be INSIDE:OUTSIDE:SIZE, such as 0:100000:65536')
  const [containerId, hostId, size] = parts.map(part => numberOf(option, part)) as [number, number, number]
  return { containerId, hostId, size }
}

function numberOf(option: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new ConfigInvalid(option, text, 'must be a whole number')
  return Number(text)
}

function kindOf(word: string): NamespaceKind {
  checkWord(word, '--kind')
  return word
}
