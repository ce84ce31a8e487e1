import { errnoNumber } from './errno.js'
import type { Slot, Step } from './step.js'
import { encodeUtf8 } from './utf8.js'

/*
 * The layout that native/apply.c decodes; integers are little-endian, as both architectures are.
 *
 *   header   u32 magic 'LCP1', size of all, steps in order, steps in all, ops, failAt, flags, 0
 *   ops      u32 offset of each op's name
 *   steps    24 bytes each: u16 op, u16 args, u16 slot+1 of the result, u16 alternatives, u32 offset of args, u32 offset of
 *            alternatives, u64 0
 *   args     16 bytes each: u32 kind (0 integer, 1 slot, 2 string, 3 bytes), u32 size, i64 value, slot or offset
 *   alternatives  8 bytes each: i32 errno, i32 step, or -1 for skip
 *   data     strings and bytes, each followed by a NUL; bytes are aligned to 8, since an op may read them as an array of structures
 *
 * A container's plan is made in the way of its start, also by an engine that only interprets: hence words instead of a DataView, one text
 * instead of many, and no iterator for each step's arguments.
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
  /** Where in `bytes` a string or byte argument lies. */
  readonly offset: (arg: string | Uint8Array) => number
}

/** Turns steps into the bytes that the native core applies. Pure; throws a `TypeError` for a plan that cannot be encoded. */
export function encodePlan(main: readonly Step[], options: EncodeOptions = {}): EncodedPlan {
  const steps = withAlternatives(main)
  const ops = new Map<string, number>()
  const slots = new Map<string, number>()
  const data = new Data()
  let argCount = 0
  let alternativeCount = 0
  for (const name of options.slots ?? []) number(slots, name, MAX_SLOTS, 'slots')
  for (const step of steps) {
    if (!ops.has(step.op)) {
      number(ops, step.op, MAX_OPS, 'ops')
      data.addString(step.op)
    }
    if (step.into !== undefined) number(slots, step.into, MAX_SLOTS, 'slots')
    if (step.onError !== undefined) alternativeCount += Object.keys(step.onError).length
    const { args } = step
    argCount += args.length
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!
      if (typeof arg === 'string') data.addString(arg)
      else if (typeof arg === 'object' && !('slot' in arg)) data.addBytes(arg)
    }
  }

  const stepsAt = align8(HEADER + ops.size * 4)
  const argsAt = stepsAt + steps.length * STEP
  const alternativesAt = argsAt + argCount * ARG
  const bytes = data.place(alternativesAt + alternativeCount * ALTERNATIVE)
  const words = new Uint32Array(bytes.buffer)
  const { failAt = 0xffffffff, timed = false, values } = options
  words.set([MAGIC, bytes.length, main.length, steps.length, ops.size, failAt, timed ? 1 : 0, 0])
  let at = HEADER / 4
  for (const name of ops.keys()) words[at++] = data.stringAt(name)

  at = stepsAt / 4
  let arg = argsAt / 4
  let alternative = alternativesAt / 4
  for (const step of steps) {
    const { args, onError, into } = step
    if (args.length > MAX_ARGS) throw new TypeError(`step '${step.about}': more than ${MAX_ARGS} arguments`)
    words[at] = ops.get(step.op)! | (args.length << 16)
    words[at + 1] = into === undefined ? 0 : slots.get(into)! + 1
    words[at + 2] = arg * 4
    words[at + 3] = alternative * 4
    for (let i = 0; i < args.length; i++) {
      const value = args[i]!
      if (typeof value === 'number') encodeNumber(words, arg, value, step)
      else if (typeof value === 'string') {
        words[arg] = 2
        words[arg + 1] = data.stringSize(value)
        words[arg + 2] = data.stringAt(value)
      } else encodeOther(words, arg, value, step, slots, values, data)
      arg += ARG / 4
    }
    if (onError !== undefined) {
      const first = alternative
      for (const [errno, then] of Object.entries(onError)) {
        const value = errnoNumber(errno)
        if (value === undefined) throw new TypeError(`step '${step.about}': onError names no errno: ${errno}`)
        words[alternative++] = value
        words[alternative++] = then === 'skip' ? -1 : steps.indexOf(then)
      }
      words[at + 1]! |= ((alternative - first) / 2) << 16
    }
    at += STEP / 4
  }
  return {
    bytes,
    steps,
    count: main.length,
    slots,
    offset: arg => (typeof arg === 'string' ? data.stringAt(arg) : data.bytesAt(arg)),
  }
}

/** The steps in order, then every step that an `onError` names. */
function withAlternatives(main: readonly Step[]): Step[] {
  const all = [...main]
  for (let i = 0; i < all.length; i++) {
    const { onError } = all[i]!
    if (onError === undefined) continue
    for (const then of Object.values(onError)) if (then !== 'skip' && !all.includes(then)) all.push(then)
  }
  return all
}

function encodeNumber(words: Uint32Array, at: number, value: number, step: Step): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`step '${step.about}': ${value} is no integer`)
  words[at + 2] = value
  if (value < 0 || value > 0xffffffff) words[at + 3] = Math.floor(value / 2 ** 32)
}

function encodeOther(
  words: Uint32Array,
  at: number,
  arg: bigint | Uint8Array | Slot,
  step: Step,
  slots: ReadonlyMap<string, number>,
  values: EncodeOptions['values'],
  data: Data,
): void {
  if (typeof arg === 'bigint') {
    words[at + 2] = Number(BigInt.asUintN(32, arg))
    words[at + 3] = Number(BigInt.asUintN(32, arg >> 32n))
  } else if (!('slot' in arg)) {
    words[at] = 3
    words[at + 1] = arg.length
    words[at + 2] = data.bytesAt(arg)
  } else if (values !== undefined && Object.hasOwn(values, arg.slot)) {
    encodeNumber(words, at, values[arg.slot]!, step)
  } else {
    const slot = slots.get(arg.slot)
    if (slot === undefined) throw new TypeError(`step '${step.about}': nothing fills the slot '${arg.slot}'`)
    words[at] = 1
    words[at + 2] = slot
  }
}

/** The strings and bytes behind the tables; equal strings are kept once. */
class Data {
  /** Where each begins, from the start of all strings. */
  readonly #strings = new Map<string, number>()
  readonly #bytes = new Map<Uint8Array, number>()
  /** Of strings that are not ASCII, which have more bytes than units. */
  #sizes: Map<string, number> | undefined
  #length = 0
  #start = 0

  addBytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, 0)
  }

  addString(text: string): void {
    if (this.#strings.has(text)) return
    if (text.includes('\0')) throw new TypeError(`a string of a plan holds a NUL byte: ${JSON.stringify(text)}`)
    this.#strings.set(text, this.#length)
    this.#length += text.length + 1
  }

  /** Lays all of it out from `start`: the plan's bytes, empty but for the data. */
  place(start: number): Uint8Array<ArrayBuffer> {
    const text = encodeUtf8(`${[...this.#strings.keys()].join('\0')}\0`)
    if (text.length !== this.#length) this.#measure()
    this.#start = start
    let end = start + text.length
    for (const bytes of this.#bytes.keys()) {
      this.#bytes.set(bytes, align8(end))
      end = align8(end) + bytes.length + 1
    }
    const plan = new Uint8Array(align8(end))
    plan.set(text, start)
    for (const [bytes, at] of this.#bytes) plan.set(bytes, at)
    return plan
  }

  #measure(): void {
    this.#sizes = new Map()
    let at = 0
    for (const text of this.#strings.keys()) {
      const size = encodeUtf8(text).length
      this.#strings.set(text, at)
      this.#sizes.set(text, size)
      at += size + 1
    }
  }

  stringAt(text: string): number {
    return this.#start + this.#strings.get(text)!
  }

  stringSize(text: string): number {
    return this.#sizes === undefined ? text.length : this.#sizes.get(text)!
  }

  bytesAt(bytes: Uint8Array): number {
    return this.#bytes.get(bytes)!
  }
}

function number(map: Map<string, number>, name: string, limit: number, what: string): void {
  if (map.has(name)) return
  if (map.size === limit) throw new TypeError(`a plan has at most ${limit} ${what}`)
  map.set(name, map.size)
}

const align8 = (n: number): number => (n + 7) & ~7
