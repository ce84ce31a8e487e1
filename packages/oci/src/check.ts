import { ConfigInvalid, fieldName } from '@libcontainer/sys'
import { definitions, type Type } from './schema.js'

type Fields = readonly (readonly [name: string, required: boolean, type: Type])[]

const fieldsOf = new Map<string, Fields>()

/** The fields of a definition, read once from its keys. */
function fields(definition: string): Fields | undefined {
  const known = fieldsOf.get(definition)
  if (known !== undefined || !Object.hasOwn(definitions, definition)) return known
  const read = Object.entries(definitions[definition]!).map(([key, type]) => {
    const required = key.endsWith('!')
    return [required ? key.slice(0, -1) : key, required, type] as const
  })
  fieldsOf.set(definition, read)
  return read
}

/**
 * A copy of `value` that is of a definition of the schema, and all that is wrong with it.
 *
 * The copy has the schema's fields alone, since the specification wants others ignored; its maps have no prototype, so that their keys are
 * data. `null` is as good as absent, which is what the encoders of many engines mean by it.
 *
 * @param at - where the value stands; empty for the document itself
 */
export function check(value: unknown, definition: string, at = ''): { value: unknown; problems: ConfigInvalid[] } {
  const problems: ConfigInvalid[] = []
  return { value: copy(value, definition, at, problems), problems }
}

function copy(value: unknown, type: Type, at: string, problems: ConfigInvalid[]): unknown {
  if (typeof type === 'string') {
    const known = fields(type)
    return known === undefined ? plain(value, type, at, problems) : object(value, known, at, problems)
  }
  if (Array.isArray(type)) return word(value, type as readonly string[], at, problems)
  if (type instanceof RegExp) return pattern(value, type, at, problems)
  if ('[]' in type) return list(value, type['[]'], at, problems)
  return map(value, (type as { '{}': Type })['{}'], at, problems)
}

function object(value: unknown, known: Fields, at: string, problems: ConfigInvalid[]): unknown {
  if (!isObject(value)) return refuse(at, value, 'must be an object', problems)
  const result: Record<string, unknown> = {}
  for (const [name, required, type] of known) {
    const part = Object.hasOwn(value, name) ? value[name] : undefined
    const field = at === '' ? name : `${at}.${name}`
    if (part !== undefined && part !== null) result[name] = copy(part, type, field, problems)
    else if (required) refuse(field, part, `must be given${says(type)}`, problems)
  }
  return result
}

function list(value: unknown, type: Type, at: string, problems: ConfigInvalid[]): unknown {
  if (Array.isArray(value)) return value.map((part, i) => copy(part, type, `${at}[${i}]`, problems))
  return refuse(at, value, 'must be a list', problems, typeof value === 'string' ? 'write it in square brackets' : '')
}

function map(value: unknown, type: Type, at: string, problems: ConfigInvalid[]): unknown {
  if (!isObject(value)) return refuse(at, value, 'must be an object of names and values', problems)
  const result: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) result[key] = copy(value[key], type, fieldName(key, at), problems)
  return result
}

function word(value: unknown, words: readonly string[], at: string, problems: ConfigInvalid[]): unknown {
  if (words.includes(value as string)) return value
  const near = typeof value === 'string' ? words.find(each => letters(each) === letters(value)) : undefined
  return refuse(at, value, `must be ${choice(words)}`, problems, near === undefined ? '' : `write ${near}`)
}

/** What is left of a word when its case, its punctuation and the prefix that all of its kind have are forgotten. */
const letters = (text: string): string =>
  text
    .toUpperCase()
    .replace(/^(SCMP_(ACT|ARCH|CMP)|SECCOMP_FILTER_FLAG|IOPRIO_CLASS|SCHED_FLAG|SCHED|MPOL_F|MPOL)_/, '')
    .replace(/[^A-Z0-9]/g, '')

function pattern(value: unknown, shape: RegExp, at: string, problems: ConfigInvalid[]): unknown {
  if (typeof value !== 'string') return plain(value, 'string', at, problems)
  return shape.test(value) ? value : refuse(at, value, `must match ${shape}`, problems)
}

function plain(value: unknown, type: string, at: string, problems: ConfigInvalid[]): unknown {
  if (type === 'string') {
    if (typeof value !== 'string') return refuse(at, value, 'must be a string', problems, remedy(value, 'in quotes'))
    if (isWellFormed(value)) return value
    return refuse(at, value, 'must be text: half of a surrogate pair is no character', problems)
  }
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value
    return refuse(at, value, 'must be true or false', problems, remedy(value, 'without quotes'))
  }
  const [low, high] = ranges[type]!
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (whole && (value as number) >= low && (value as number) <= high) return value
  return refuse(at, value, `must be a whole number ${span(low, high)}`, problems, remedy(value, 'without quotes'))
}

const ranges: Readonly<Record<string, readonly [low: number | bigint, high: number | bigint]>> = {
  integer: [-Infinity, Infinity],
  positive: [1, Infinity],
  uint16: [0, 0xffff],
  int32: [-0x80000000, 0x7fffffff],
  uint32: [0, 0xffffffff],
  int64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
  uint64: [0, 0xffff_ffff_ffff_ffffn],
}

function span(low: number | bigint, high: number | bigint): string {
  if (high === Infinity) return low === 1 ? 'from 1 on' : 'of any size'
  return `from ${low} to ${high}`
}

/** What to do about a value that has the wrong quotes. */
function remedy(value: unknown, how: 'in quotes' | 'without quotes'): string {
  const scalar = how === 'in quotes' ? ['number', 'bigint', 'boolean'] : ['string']
  return scalar.includes(typeof value) ? `write it ${how}` : ''
}

const choice = (words: readonly string[]): string => `one of ${words.filter(each => each !== '').join(', ')}`

const says = (type: Type): string => (Array.isArray(type) ? `: ${choice(type)}` : '')

/** Every high half of a surrogate pair is followed by a low one, and none stands alone: what UTF-8 can say. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse(at: string, value: unknown, problem: string, problems: ConfigInvalid[], hint = ''): undefined {
  problems.push(new ConfigInvalid(at === '' ? 'config.json' : at, value, problem, hint === '' ? {} : { hint }))
  return undefined
}
