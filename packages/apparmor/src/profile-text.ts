import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import { checkProfileName } from './name.js'

/* A profile from typed rules, in the language of apparmor.d(5). What is read by apparmor_parser is written here, and parsed nowhere. */

/** `deny` wins over whatever allows, and is not told in the audit log unless it is asked for. */
interface Qualifiers {
  readonly deny?: boolean | undefined
  /** Tells the log each time. */
  readonly audit?: boolean | undefined
}

export interface FileRule extends Qualifiers {
  /** With globs of AppArmor; it begins with `/` or a variable: `@{PROC}/sys/**`. */
  readonly path: string
  /** Of `r w a l k m x`, an `x` with how: `ix`, `px`, `ux`, … */
  readonly permissions: string
  /** Only of the file's owner. */
  readonly owner?: boolean | undefined
}

export interface NetworkRule extends Qualifiers {
  /** `inet`, `unix`, `netlink`, …. Default: all. */
  readonly family?: string | undefined
  /** `stream`, `dgram`, `raw`, …. Default: all. */
  readonly type?: string | undefined
}

export interface MountRule extends Qualifiers {
  readonly action?: 'mount' | 'remount' | 'umount' | 'pivot_root' | undefined
  readonly fstype?: string | undefined
  /** The flags that there may be: `options in (…)`. */
  readonly options?: readonly string[] | undefined
  readonly source?: string | undefined
  readonly target?: string | undefined
}

export interface PeerRule extends Qualifiers {
  /** Of `trace`, `read`, `tracedby`, `readby`. Default: all. */
  readonly access?: readonly string[] | undefined
  /** The profile of the other, a glob. Default: any. */
  readonly peer?: string | undefined
}

export interface SignalRule extends Qualifiers {
  /** Of `send`, `receive`. Default: both. */
  readonly access?: readonly string[] | undefined
  /** `kill`, `term`, …. Default: all. */
  readonly signals?: readonly string[] | undefined
  readonly peer?: string | undefined
}

/** What a profile allows. What is not named is refused, each part with `all` allows everything of its kind. */
export interface ProfileRules {
  readonly name: string
  /** The abi that the rules are of: a file below /etc/apparmor.d, such as `abi/3.0`. Default: none, all that this kernel mediates. */
  readonly abi?: string | undefined
  /** Before the profile: variables and files such as `tunables/global`. Default: none. */
  readonly imports?: readonly string[] | undefined
  /** In the profile: files such as `abstractions/base`. Default: none. */
  readonly innerImports?: readonly string[] | undefined
  /** Default: none, the profile enforces. */
  readonly flags?: readonly string[] | undefined
  readonly capabilities?: 'all' | readonly string[] | undefined
  readonly deniedCapabilities?: readonly string[] | undefined
  readonly network?: 'all' | readonly NetworkRule[] | undefined
  readonly files?: 'all' | readonly FileRule[] | undefined
  /** Beside `files: 'all'`. */
  readonly deniedFiles?: readonly Pick<FileRule, 'path' | 'permissions' | 'audit'>[] | undefined
  readonly mounts?: 'all' | readonly MountRule[] | undefined
  readonly ptrace?: 'all' | readonly PeerRule[] | undefined
  readonly signals?: 'all' | readonly SignalRule[] | undefined
  /** Lines of rules that there are no types for: `unix,`. */
  readonly more?: readonly string[] | undefined
}

/**
 * The text of a profile. Pure.
 *
 * @throws {ConfigInvalid} for a value that would end its rule, by field
 */
export function profileText(rules: ProfileRules): string {
  const { name, abi, imports = [], innerImports = [], flags = [], more = [] } = rules
  if (checkProfileName(name, 'name').startsWith('&'))
    throw new ConfigInvalid('name', name, 'must be no stack: that is said where a profile is used')
  const head = flags.length === 0 ? '' : ` flags=(${flags.map((flag, i) => word(flag, `flags[${i}]`)).join(',')})`
  const lines = [
    ...innerImports.map((file, i) => importOf(file, `innerImports[${i}]`)),
    ...capabilityLines(rules),
    ...listed(rules.network, 'network', 'network', networkLine),
    ...listed(rules.files, 'files', 'file', fileLine),
    ...(rules.deniedFiles ?? []).map((rule, i) => fileLine({ ...rule, deny: true }, `deniedFiles[${i}]`)),
    ...(rules.mounts === 'all'
      ? ['mount,', 'umount,', 'pivot_root,']
      : listed(rules.mounts, 'mounts', 'mount', mountLine)),
    ...listed(rules.ptrace, 'ptrace', 'ptrace', peerLine),
    ...listed(rules.signals, 'signals', 'signal', signalLine),
    ...more.map((line, i) => lineOf(line, `more[${i}]`)),
  ]
  return [
    ...(abi === undefined ? [] : [`abi <${path(abi, 'abi')}>,`]),
    ...imports.map((file, i) => importOf(file, `imports[${i}]`)),
    `profile ${quoted(name)}${head} {`,
    ...lines.map(line => `  ${line}`),
    '}',
    '',
  ].join('\n')
}

function capabilityLines({ capabilities, deniedCapabilities = [] }: ProfileRules): string[] {
  const line = (name: unknown, field: string, deny = ''): string => `${deny}capability ${capability(name, field)},`
  return [
    ...(capabilities === 'all'
      ? ['capability,']
      : (capabilities ?? []).map((name, i) => line(name, `capabilities[${i}]`))),
    ...deniedCapabilities.map((name, i) => line(name, `deniedCapabilities[${i}]`, 'deny ')),
  ]
}

const capability = (name: unknown, field: string): string => word(name, field).toLowerCase().replace(/^cap_/, '')

function listed<T>(
  part: 'all' | readonly T[] | undefined,
  field: string,
  keyword: string,
  line: (rule: T, field: string) => string,
): string[] {
  if (part === undefined) return []
  if (part === 'all') return [`${keyword},`]
  if (!Array.isArray(part)) throw new ConfigInvalid(field, part, 'must be a list, or all')
  return part.map((rule: T, i) => line(rule, `${field}[${i}]`))
}

const qualifiers = ({ deny = false, audit = false }: Qualifiers): string =>
  `${audit ? 'audit ' : ''}${deny ? 'deny ' : ''}`

function fileLine(rule: FileRule, field: string): string {
  const permissions = word(rule.permissions, `${field}.permissions`)
  return `${qualifiers(rule)}${rule.owner ? 'owner ' : ''}${quoted(path(rule.path, `${field}.path`))} ${permissions},`
}

function networkLine(rule: NetworkRule, field: string): string {
  const parts = [rule.family && word(rule.family, `${field}.family`), rule.type && word(rule.type, `${field}.type`)]
  return `${qualifiers(rule)}${['network', ...parts.filter(Boolean)].join(' ')},`
}

function mountLine(rule: MountRule, field: string): string {
  const { action = 'mount', fstype, options, source, target } = rule
  const at =
    target === undefined
      ? []
      : [action === 'mount' ? '->' : '', quoted(path(target, `${field}.target`))].filter(Boolean)
  const parts = [
    action,
    ...(fstype === undefined ? [] : [`fstype=${word(fstype, `${field}.fstype`)}`]),
    ...(options === undefined ? [] : [`options in (${words(options, `${field}.options`).join(',')})`]),
    ...(source === undefined ? [] : [quoted(path(source, `${field}.source`))]),
    ...at,
  ]
  return `${qualifiers(rule)}${parts.join(' ')},`
}

function peerLine(rule: PeerRule, field: string): string {
  return `${qualifiers(rule)}${['ptrace', ...access(rule, field), ...peer(rule, field)].join(' ')},`
}

function signalLine(rule: SignalRule, field: string): string {
  const set = rule.signals === undefined ? [] : [`set=(${words(rule.signals, `${field}.signals`).join(',')})`]
  return `${qualifiers(rule)}${['signal', ...access(rule, field), ...set, ...peer(rule, field)].join(' ')},`
}

const access = (rule: { access?: readonly string[] | undefined }, field: string): string[] =>
  rule.access === undefined ? [] : [`(${words(rule.access, `${field}.access`).join(',')})`]

const peer = (rule: { peer?: string | undefined }, field: string): string[] =>
  rule.peer === undefined ? [] : [`peer=${quoted(kernelString(rule.peer, `${field}.peer`))}`]

function words(list: unknown, field: string): string[] {
  if (!Array.isArray(list)) throw new ConfigInvalid(field, list, 'must be a list')
  return list.map((each, i) => word(each, `${field}[${i}]`))
}

function word(value: unknown, field: string): string {
  const text = kernelString(value as string, field)
  if (!/^[\w.-]+$/.test(text)) throw new ConfigInvalid(field, value, 'must be a word')
  return text
}

/** A path, a variable, or a file of the parser's folder; nothing that ends a line or a string. */
function path(value: unknown, field: string): string {
  const text = kernelString(value as string, field)
  if (text === '' || /["\n\r]/.test(text))
    throw new ConfigInvalid(field, value, 'must be a path without quotes and line ends')
  return text
}

const importOf = (file: unknown, field: string): string => {
  const text = path(file, field)
  return text.startsWith('@{') ? text : `include <${text}>`
}

function lineOf(value: unknown, field: string): string {
  const text = kernelString(value as string, field)
  if (/[\n\r{}#]/.test(text) || !text.endsWith(','))
    throw new ConfigInvalid(field, value, 'must be one rule, which ends with a comma')
  return text
}

const quoted = (text: string): string => {
  if (text.includes('"')) throw new ConfigInvalid('name', text, 'must have no quotes')
  return /^[\w./@{}*?[\]^,:+-]+$/.test(text) && !text.includes('//&') ? text : `"${text}"`
}
