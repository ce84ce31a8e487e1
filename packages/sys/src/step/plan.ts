import { errnoNumber } from '../errors/errno.js'
import { encodeUtf8 } from '../utf8.js'
import type { Step } from './step.js'

/*
 * The layout that native/apply.c decodes; integers are little-endian, as both architectures are.
 *
 *   header   u32 magic 'LCP1', size of all, steps in order, steps in all, ops, failAt, flags, 0
 *   ops      u32 offset of each op's name
 *   steps    24 bytes each: u16 op, u16 args, u16 slot+1 of the result, u16 alternatives, u32 offset of args, u32 offset of
 *            alternatives, u64 0
 *   args     16 bytes each: u32 kind (0 integer, 1 slot, 2 string, 3 bytes), u32 size, i64 value, slot or offset
 *   alternatives  8 bytes each: i32 errno, i32 step, or -1 for skip
 *   data     strings, then bytes, each followed by a NUL; bytes are aligned to 8, since an op may read them as an array of structures
 *
 * A container's plan is made in the way of its start, also by an engine that only interprets: hence one pass over the steps, words instead of a
 * DataView, one text instead of many, and no iterator or call for each argument.
 */
const MAGIC = 0x3150434c
const HEADER = 32
const STEP = 24
const ARG = 16
const ALTERNATIVE = 8
const MAX_OPS = 64
const MAX_SLOTS = 64
const MAX_ARGS = 8

export interface EncodeOptions {
  /** Makes this step fail with EIO before it runs: how tests show that a failure at any step leaks nothing. */
  failAt?: number | undefined
  /** Records the time at which each step ended. */
  timed?: boolean | undefined
  /** Slots that something else than a step fills: the answers of a rendezvous. */
  slots?: readonly string[] | undefined
  /** Slots that are known now, such as the numbers of descriptors handed over: they become plain integers. */
  values?: Readonly<Record<string, number>> | undefined
}

export interface EncodedPlan {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Every step by its number in the plan; those behind the main list are reached by `onError` alone. */
  readonly steps: readonly Step[]
  /** How many of `steps` run in order. */
  readonly count: number
  /** The number of each slot. */
  readonly slots: ReadonlyMap<string, number>
  /** Where in `bytes` a byte argument lies. */
  readonly offset: (arg: Uint8Array) => number
}

/** Turns steps into the bytes that the native core applies. Pure; throws a `TypeError` for a plan that cannot be encoded. */
export function encodePlan(main: readonly Step[], options: EncodeOptions = {}): EncodedPlan {
  const { steps, numbers } = withAlternatives(main)
  const ops = new Map<string, number>()
  const slots = new Map<string, number>()
  let argCount = 0
  let alternativeCount = 0
  for (const name of options.slots ?? []) number(slots, name, MAX_SLOTS, 'slots')
  for (const { op, args, into, onError } of steps) {
    if (!ops.has(op)) number(ops, op, MAX_OPS, 'ops')
    if (into !== undefined) number(slots, into, MAX_SLOTS, 'slots')
    if (onError !== undefined) alternativeCount += Object.keys(onError).length
    argCount += args.length
  }

  const stepsAt = align8(HEADER + ops.size * 4)
  const argsAt = stepsAt + steps.length * STEP
  const alternativesAt = argsAt + argCount * ARG
  const tables = new Uint32Array((alternativesAt + alternativeCount * ALTERNATIVE) / 4)
  const strings = new Strings(tables, argsAt / 4)
  const bytes: BytesArgument[] = []
  const { failAt = 0xffffffff, timed = false, values } = options
  let at = HEADER / 4
  for (const name of ops.keys()) strings.put(at++, name)

  at = stepsAt / 4
  let arg = argsAt / 4
  let alternative = alternativesAt / 4
  for (const step of steps) {
    const { args, onError, into } = step
    if (args.length > MAX_ARGS) throw new TypeError(`step '${step.about}': more than ${MAX_ARGS} arguments`)
    tables[at] = ops.get(step.op)! | (args.length << 16)
    tables[at + 1] = into === undefined ? 0 : slots.get(into)! + 1
    tables[at + 2] = arg * 4
    tables[at + 3] = alternative * 4
    for (let i = 0; i < args.length; i++) {
      const value = args[i]!
      if (typeof value === 'string') {
        tables[arg] = 2
        tables[arg + 1] = strings.put(arg + 2, value)
      } else if (typeof value === 'number') encodeNumber(tables, arg, value, step)
      else if (typeof value === 'bigint') encodeBigint(tables, arg, value)
      else if (!('slot' in value)) {
        tables[arg] = 3
        tables[arg + 1] = value.length
        bytes.push({ value, word: arg + 2 })
      } else encodeSlot(tables, arg, value.slot, step, slots, values)
      arg += ARG / 4
    }
    if (onError !== undefined) {
      const first = alternative
      for (const [errno, then] of Object.entries(onError)) {
        const value = errnoNumber(errno)
        if (value === undefined) throw new TypeError(`step '${step.about}': onError names no errno: ${errno}`)
        tables[alternative++] = value
        tables[alternative++] = then === 'skip' ? -1 : numbers.get(then)!
      }
      tables[at + 1]! |= ((alternative - first) / 2) << 16
    }
    at += STEP / 4
  }

  const text = strings.encode()
  const places = new Map<Uint8Array, number>()
  let end = tables.length * 4 + text.length
  for (const { value, word } of bytes) {
    let place = places.get(value)
    if (place === undefined) {
      place = align8(end)
      places.set(value, place)
      end = place + value.length + 1
    }
    tables[word] = place
  }
  const plan = new Uint8Array(align8(end))
  tables.set([MAGIC, plan.length, main.length, steps.length, ops.size, failAt, timed ? 1 : 0, 0])
  plan.set(new Uint8Array(tables.buffer))
  plan.set(text, tables.length * 4)
  for (const [value, place] of places) plan.set(value, place)
  return { bytes: plan, steps, count: main.length, slots, offset: value => places.get(value)! }
}

/** Bytes that are laid behind the strings, and the word of the tables that is to say where. */
interface BytesArgument {
  readonly value: Uint8Array
  readonly word: number
}

/** The steps in order, then every step that an `onError` names; and the number of each that is named so. */
function withAlternatives(main: readonly Step[]): { steps: Step[]; numbers: ReadonlyMap<Step, number> } {
  const steps = [...main]
  const numbers = new Map<Step, number>()
  for (let i = 0; i < steps.length; i++) {
    const { onError } = steps[i]!
    if (onError === undefined) continue
    for (const then of Object.values(onError)) {
      if (then === 'skip' || numbers.has(then)) continue
      const inOrder = main.indexOf(then)
      numbers.set(then, inOrder < 0 ? steps.push(then) - 1 : inOrder)
    }
  }
  return { steps, numbers }
}

function encodeNumber(tables: Uint32Array, at: number, value: number, step: Step): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`step '${step.about}': ${value} is no integer`)
  tables[at + 2] = value
  if (value < 0 || value > 0xffffffff) tables[at + 3] = Math.floor(value / 2 ** 32)
}

function encodeBigint(tables: Uint32Array, at: number, value: bigint): void {
  // Most are 0, which the tables are, and arithmetic of 64 bits is slow where it is interpreted.
  if (value === 0n) return
  tables[at + 2] = Number(BigInt.asUintN(32, value))
  tables[at + 3] = Number(BigInt.asUintN(32, value >> 32n))
}

function encodeSlot(
  tables: Uint32Array,
  at: number,
  name: string,
  step: Step,
  slots: ReadonlyMap<string, number>,
  values: EncodeOptions['values'],
): void {
  if (values !== undefined && Object.hasOwn(values, name)) {
    encodeNumber(tables, at, values[name]!, step)
    return
  }
  const slot = slots.get(name)
  if (slot === undefined) throw new TypeError(`step '${step.about}': nothing fills the slot '${name}'`)
  tables[at] = 1
  tables[at + 2] = slot
}

/** The strings behind the tables, one after another, each ended by NUL. */
class Strings {
  readonly #tables: Uint32Array
  readonly #firstArg: number
  readonly #list: string[] = []
  /** The word of the tables that says where each begins; before that of an argument stands its size. */
  readonly #words: number[] = []
  #end: number

  constructor(tables: Uint32Array, firstArg: number) {
    this.#tables = tables
    this.#firstArg = firstArg
    this.#end = tables.length * 4
  }

  /** Answers the size. As if all were ASCII, which nearly all are. */
  put(word: number, text: string): number {
    if (text.includes('\0')) throw new TypeError(`a string of a plan holds a NUL byte: ${JSON.stringify(text)}`)
    this.#list.push(text)
    this.#words.push(word)
    this.#tables[word] = this.#end
    this.#end += text.length + 1
    return text.length
  }

  encode(): Uint8Array {
    const text = encodeUtf8(`${this.#list.join('\0')}\0`)
    const start = this.#tables.length * 4
    if (start + text.length !== this.#end) this.#measure(start)
    return text
  }

  #measure(start: number): void {
    let at = start
    for (const [i, text] of this.#list.entries()) {
      const size = encodeUtf8(text).length
      const word = this.#words[i]!
      this.#tables[word] = at
      if (word >= this.#firstArg) this.#tables[word - 1] = size
      at += size + 1
    }
  }
}

function number(map: Map<string, number>, name: string, limit: number, what: string): void {
  if (map.has(name)) return
  if (map.size === limit) throw new TypeError(`a plan has at most ${limit} ${what}`)
  map.set(name, map.size)
}

const align8 = (n: number): number => (n + 7) & ~7
