import { ConfigInvalid, fieldName } from '@libcontainer/sys'
import { definitions, type Type } from './schema.js'

interface Field {
  readonly name: string
  readonly required: boolean
  readonly type: Type
}

type Fields = readonly Field[]

const fieldsOf = new Map<string, Fields>()

/** The fields of a definition, read once from its keys. */
function fields(definition: string): Fields | undefined {
  const known = fieldsOf.get(definition)
  if (known !== undefined || !Object.hasOwn(definitions, definition)) return known
  const read = Object.entries(definitions[definition]!).map(([key, type]) => {
    const required = key.endsWith('!')
    return { name: required ? key.slice(0, -1) : key, required, type }
  })
  fieldsOf.set(definition, read)
  return read
}

/** What is under way: where we are, as names and indexes, and what was found. A place becomes text when there is something to say of it. */
interface Walk {
  readonly path: (string | number)[]
  readonly problems: ConfigInvalid[]
}

/**
 * A copy of `value` that is of a definition of the schema, or a list of such, and all that is wrong with it.
 *
 * The copy has the schema's fields alone, since the specification wants others ignored; its maps have no prototype, so that their keys are
 * data. `null` is as good as absent, which is what the encoders of many engines mean by it.
 *
 * @param at - the names of where the value stands; none for the document itself
 */
export function check(
  value: unknown,
  definition: Type,
  at: readonly string[] = [],
): { value: unknown; problems: ConfigInvalid[] } {
  const walk: Walk = { path: [...at], problems: [] }
  return { value: copy(value, definition, walk), problems: walk.problems }
}

function copy(value: unknown, type: Type, walk: Walk): unknown {
  if (type === 'string') return text(value, walk)
  if (typeof type === 'string') {
    const known = fields(type)
    return known === undefined ? plain(value, type, walk) : object(value, known, walk)
  }
  if (Array.isArray(type)) return word(value, type as readonly string[], walk)
  if (type instanceof RegExp) return pattern(value, type, walk)
  if ('[]' in type) return list(value, type['[]'], walk)
  return map(value, (type as { '{}': Type })['{}'], walk)
}

function object(value: unknown, known: Fields, walk: Walk): unknown {
  if (!isObject(value)) return refuse(value, 'must be an object', walk)
  const { path } = walk
  const result: Record<string, unknown> = {}
  // Plain loops, and no call for sound text, which most of a document is:: in an interpreter those of iterators and patterns take most of the time.
  for (let i = 0; i < known.length; i++) {
    const field = known[i]!
    const { name } = field
    const part = value[name]
    const absent = part === undefined || part === null || !Object.hasOwn(value, name)
    if (absent && !field.required) continue
    if (!absent && field.type === 'string' && typeof part === 'string' && (part as WellFormed).isWellFormed()) {
      result[name] = part
      continue
    }
    path.push(name)
    if (absent) refuse(part, `must be given${says(field.type)}`, walk)
    else result[name] = copy(part, field.type, walk)
    path.pop()
  }
  return result
}

function list(value: unknown, type: Type, walk: Walk): unknown {
  if (!Array.isArray(value))
    return refuse(value, 'must be a list', walk, typeof value === 'string' ? 'write it in square brackets' : '')
  const { path } = walk
  const result: unknown[] = []
  for (let i = 0; i < value.length; i++) {
    const part: unknown = value[i]
    if (type === 'string' && typeof part === 'string' && (part as WellFormed).isWellFormed()) {
      result[i] = part
      continue
    }
    path.push(i)
    result[i] = copy(part, type, walk)
    path.pop()
  }
  return result
}

function map(value: unknown, type: Type, walk: Walk): unknown {
  if (!isObject(value)) return refuse(value, 'must be an object of names and values', walk)
  const result: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    walk.path.push(key)
    result[key] = copy(value[key], type, walk)
    walk.path.pop()
  }
  return result
}

function word(value: unknown, words: readonly string[], walk: Walk): unknown {
  if (words.includes(value as string)) return value
  const near = typeof value === 'string' ? words.find(each => letters(each) === letters(value)) : undefined
  return refuse(value, `must be ${choice(words)}`, walk, near === undefined ? '' : `write ${near}`)
}

const choice = (words: readonly string[]): string => `one of ${words.filter(each => each !== '').join(', ')}`

/** What is left of a word when its case, its punctuation and the prefix that all of its kind have are forgotten. */
const letters = (word: string): string =>
  word
    .toUpperCase()
    .replace(/^(SCMP_(ACT|ARCH|CMP)|SECCOMP_FILTER_FLAG|IOPRIO_CLASS|SCHED_FLAG|SCHED|MPOL_F|MPOL)_/, '')
    .replace(/[^A-Z0-9]/g, '')

function pattern(value: unknown, shape: RegExp, walk: Walk): unknown {
  if (typeof value !== 'string') return text(value, walk)
  return shape.test(value) ? value : refuse(value, `must match ${shape}`, walk)
}

function text(value: unknown, walk: Walk): unknown {
  if (typeof value !== 'string') return refuse(value, 'must be a string', walk, remedy(value, 'in quotes'))
  if (isWellFormed(value)) return value
  return refuse(value, 'must be text: half of a surrogate pair is no character', walk)
}

function plain(value: unknown, type: string, walk: Walk): unknown {
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value
    return refuse(value, 'must be true or false', walk, remedy(value, 'without quotes'))
  }
  const [low, high] = ranges[type]!
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (whole && (value as number) >= low && (value as number) <= high) return value
  return refuse(value, `must be a whole number ${span(low, high)}`, walk, remedy(value, 'without quotes'))
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

const says = (type: Type): string => (Array.isArray(type) ? `: ${choice(type)}` : '')

/** Every high half of a surrogate pair is followed by a low one, and none stands alone: what UTF-8 can say. */
const isWellFormed = (value: string): boolean => (value as WellFormed).isWellFormed()

/** ES2024's, which Node.js 20 has. */
type WellFormed = string & { isWellFormed(): boolean }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse(value: unknown, problem: string, { path, problems }: Walk, hint = ''): undefined {
  const place = path.reduce<string>(
    (at, part) => (typeof part === 'number' ? `${at}[${part}]` : fieldName(part, at)),
    '',
  )
  problems.push(new ConfigInvalid(place || 'config.json', value, problem, hint === '' ? {} : { hint }))
  return undefined
}
