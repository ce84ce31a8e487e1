import { errnoNumber } from './errno.js'
import type { Arg, Step } from './step.js'
import { encodeUtf8 } from './utf8.js'

/*
 * The layout that native/apply.c decodes; integers are little-endian.
 *
 *   header   u32 magic 'LCP1', size of all, steps in order, steps in all, ops, failAt, flags, 0
 *   ops      u32 offset of each op's name
 *   steps    24 bytes each: u16 op, u16 args, u16 slot+1 of the result, u16 alternatives, u32 offset of args, u32 offset of
 *            alternatives, u64 0
 *   args     16 bytes each: u32 kind (0 integer, 1 slot, 2 string, 3 bytes), u32 size, i64 value, slot or offset
 *   alternatives  8 bytes each: i32 errno, i32 step, or -1 for skip
 *   data     strings and bytes, each followed by a NUL
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
}

/** Turns steps into the bytes that the native core applies. Pure; throws a `TypeError` for a plan that cannot be encoded. */
export function encodePlan(main: readonly Step[], options: EncodeOptions = {}): EncodedPlan {
  const steps = withAlternatives(main)
  const ops = new Map<string, number>()
  const slots = new Map<string, number>()
  for (const name of options.slots ?? []) number(slots, name, MAX_SLOTS, 'slots')
  for (const step of steps) {
    number(ops, step.op, MAX_OPS, 'ops')
    if (step.into !== undefined) number(slots, step.into, MAX_SLOTS, 'slots')
  }

  const argCount = sum(steps, step => step.args.length)
  const alternativeCount = sum(steps, step => Object.keys(step.onError ?? {}).length)
  const opsAt = HEADER
  const stepsAt = align8(opsAt + ops.size * 4)
  const argsAt = stepsAt + steps.length * STEP
  const alternativesAt = argsAt + argCount * ARG
  const data = new Data(alternativesAt + alternativeCount * ALTERNATIVE)
  for (const name of ops.keys()) data.string(name)
  for (const step of steps) for (const arg of step.args) data.add(arg)

  const bytes = new Uint8Array(align8(data.end))
  const view = new DataView(bytes.buffer)
  const header = [
    MAGIC,
    bytes.length,
    main.length,
    steps.length,
    ops.size,
    options.failAt ?? 0xffffffff,
    options.timed ? 1 : 0,
    0,
  ]
  header.forEach((value, i) => {
    view.setUint32(i * 4, value, true)
  })
  for (const [name, i] of ops) view.setUint32(opsAt + i * 4, data.offset(name), true)

  let nextArg = argsAt
  let nextAlternative = alternativesAt
  steps.forEach((step, i) => {
    const at = stepsAt + i * STEP
    if (step.args.length > MAX_ARGS) throw new TypeError(`step '${step.about}': more than ${MAX_ARGS} arguments`)
    const alternatives = Object.entries(step.onError ?? {})
    view.setUint16(at, ops.get(step.op)!, true)
    view.setUint16(at + 2, step.args.length, true)
    view.setUint16(at + 4, step.into === undefined ? 0 : slots.get(step.into)! + 1, true)
    view.setUint16(at + 6, alternatives.length, true)
    view.setUint32(at + 8, nextArg, true)
    view.setUint32(at + 12, nextAlternative, true)
    for (const arg of step.args) {
      encodeArg(view, nextArg, known(arg, options.values), step, slots, data)
      nextArg += ARG
    }
    for (const [errno, then] of alternatives) {
      const value = errnoNumber(errno)
      if (value === undefined) throw new TypeError(`step '${step.about}': onError names no errno: ${errno}`)
      view.setInt32(nextAlternative, value, true)
      view.setInt32(nextAlternative + 4, then === 'skip' ? -1 : steps.indexOf(then), true)
      nextAlternative += ALTERNATIVE
    }
  })
  data.copyTo(bytes)
  return { bytes, steps, count: main.length, slots }
}

function known(arg: Arg, values: Readonly<Record<string, number>> = {}): Arg {
  if (typeof arg !== 'object' || !('slot' in arg) || !Object.hasOwn(values, arg.slot)) return arg
  return values[arg.slot]!
}

/** The steps in order, then every step that an `onError` names. */
function withAlternatives(main: readonly Step[]): Step[] {
  const all = [...main]
  for (let i = 0; i < all.length; i++) {
    for (const then of Object.values(all[i]!.onError ?? {})) if (then !== 'skip' && !all.includes(then)) all.push(then)
  }
  return all
}

function encodeArg(view: DataView, at: number, arg: Arg, step: Step, slots: Map<string, number>, data: Data): void {
  let kind = 0
  let size = 0
  let value: bigint
  if (typeof arg === 'number' || typeof arg === 'bigint') {
    if (typeof arg === 'number' && !Number.isSafeInteger(arg))
      throw new TypeError(`step '${step.about}': ${arg} is no integer`)
    value = BigInt(arg)
  } else if (typeof arg === 'object' && 'slot' in arg) {
    const slot = slots.get(arg.slot)
    if (slot === undefined) throw new TypeError(`step '${step.about}': nothing fills the slot '${arg.slot}'`)
    kind = 1
    value = BigInt(slot)
  } else {
    kind = typeof arg === 'string' ? 2 : 3
    size = data.size(arg)
    value = BigInt(data.offset(arg))
  }
  view.setUint32(at, kind, true)
  view.setUint32(at + 4, size, true)
  view.setBigInt64(at + 8, BigInt.asIntN(64, value), true)
}

/** The strings and bytes behind the tables; equal strings are kept once. */
class Data {
  readonly #parts = new Map<string | Uint8Array, { at: number; bytes: Uint8Array }>()
  end: number

  constructor(start: number) {
    this.end = align8(start)
  }

  add(arg: Arg): void {
    if (typeof arg === 'string') this.string(arg)
    else if (arg instanceof Uint8Array) this.#put(arg, arg)
  }

  string(text: string): void {
    if (text.includes('\0')) throw new TypeError(`a string of a plan holds a NUL byte: ${JSON.stringify(text)}`)
    this.#put(text, encodeUtf8(text))
  }

  #put(key: string | Uint8Array, bytes: Uint8Array): void {
    if (this.#parts.has(key)) return
    // Aligned to 8, since an op may read bytes as an array of structures (seccomp's filter).
    this.#parts.set(key, { at: this.end, bytes })
    this.end = align8(this.end + bytes.length + 1)
  }

  offset(arg: string | Uint8Array): number {
    return this.#parts.get(arg)!.at
  }

  size(arg: string | Uint8Array): number {
    return this.#parts.get(arg)!.bytes.length
  }

  copyTo(target: Uint8Array): void {
    for (const { at, bytes } of this.#parts.values()) target.set(bytes, at)
  }
}

function number(map: Map<string, number>, name: string, limit: number, what: string): void {
  if (map.has(name)) return
  if (map.size === limit) throw new TypeError(`a plan has at most ${limit} ${what}`)
  map.set(name, map.size)
}

const align8 = (n: number): number => (n + 7) & ~7

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
