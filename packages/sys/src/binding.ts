import { loadOps } from '#host'
import { errnoName } from './errors/errno.js'
import { SyscallError } from './errors/errors.js'
import { type EncodeOptions, encodePlan } from './step/plan.js'
import type { Step } from './step/step.js'
import { decodeUtf8 } from './utf8.js'

/** An op seen from TypeScript: `i` is a number or bigint, `s` a string without NUL, `b` bytes that it reads or fills. */
export type Op = (...args: never[]) => number

/** The ops of a facility. Each answers its result, or the error as a negative errno. */
export interface Binding<Ops extends object> {
  /** At once, on this thread: only for what cannot wait. */
  readonly sync: Ops
  /** Off the thread: for whatever may wait in the kernel. In the static executable it runs in line. */
  readonly async: {
    readonly [K in keyof Ops]: Ops[K] extends (...args: infer A) => number ? (...args: A) => Promise<number> : never
  }
  /** Applies steps in order, of this facility and of sys, in one native call off the thread. Throws the {@link SyscallError} of the first that fails. */
  apply(steps: readonly Step[], options?: ApplyOptions): Promise<void>
  /** The same in two parts: encodes the steps, and answers with what applies them, once. */
  prepare(steps: readonly Step[], options?: ApplyOptions): () => Promise<void>
}

export interface ApplyOptions extends EncodeOptions {
  /** Receives the result of each step that has a slot (`into`) and was done, also when a later step fails: what is to be undone. */
  results?: Map<string, number> | undefined
  /** Those byte arguments of the steps that ops write to, also when a later step fails; the others are only read. */
  fills?: readonly Uint8Array[] | undefined
}

/** What a host gives for a table: two forms of each op, and the batch. */
export interface LoadedOps {
  readonly sync: object
  readonly async: object
  /**
   * Applies an encoded plan with this table and that of sys; fills `failure` and answers a negative errno when a step fails. Behind the failure come as many
   * slots as there is room for: an i64 each, -1 when nothing filled it. With `back`, what ops wrote into the plan's bytes is there afterwards.
   */
  readonly apply: (plan: Uint8Array, failure: Uint8Array, back: boolean) => Promise<number>
}

/** u32 step, i32 errno, 32 bytes of the system call's name, 160 of detail. */
const FAILURE = 8 + 32 + 160

/**
 * The ops of `name`, loaded when they are first used: a program that only parses a configuration loads none.
 *
 * @param url - `import.meta.url` of a module in the package's `dist/`, beside which its `prebuilds/` lie
 */
export function binding<Ops extends object>(name: string, url: string): Binding<Ops> {
  let loaded: LoadedOps | undefined
  const ops = (): LoadedOps => {
    loaded ??= loadOps(name, url)
    return loaded
  }
  return {
    get sync() {
      return ops().sync as Ops
    },
    get async() {
      return ops().async as Binding<Ops>['async']
    },
    async apply(steps, options) {
      if (steps.length > 0) await prepare(ops(), steps, options)()
    },
    prepare: (steps, options) => prepare(ops(), steps, options),
  }
}

function prepare(loaded: LoadedOps, steps: readonly Step[], { results, fills = [], ...options }: ApplyOptions = {}) {
  const plan = encodePlan(steps, options)
  const failure = new Uint8Array(FAILURE + (results === undefined ? 0 : plan.slots.size * 8))
  return async (): Promise<void> => {
    const result = await loaded.apply(plan.bytes, failure, fills.length > 0)
    for (const buffer of fills)
      buffer.set(plan.bytes.subarray(plan.offset(buffer), plan.offset(buffer) + buffer.length))
    if (results !== undefined) readResults(plan.slots, failure, results)
    if (result < 0) throw stepError(plan.steps, failure.subarray(0, FAILURE))
  }
}

function readResults(slots: ReadonlyMap<string, number>, failure: Uint8Array, results: Map<string, number>): void {
  const view = new DataView(failure.buffer, failure.byteOffset + FAILURE)
  for (const [name, i] of slots) {
    const value = Number(view.getBigInt64(i * 8, true))
    if (value >= 0) results.set(name, value)
  }
}

/** The error of a failed step, from the record that native/apply.c or `init` wrote. */
export function stepError(steps: readonly Step[], failure: Uint8Array): SyscallError {
  const view = new DataView(failure.buffer, failure.byteOffset, failure.byteLength)
  const number = view.getUint32(0, true)
  const errno = view.getInt32(4, true)
  const step = steps[number]
  const text = (from: number, to: number): string => decodeUtf8(failure.subarray(from, to)).split('\0', 1)[0]!
  const code = errnoName(errno)
  return new SyscallError(errno, text(8, 40) || (step?.op ?? 'apply'), {
    step: step === undefined ? 'plan' : `step ${number + 1}: ${step.about}`,
    path: step?.path,
    detail: [text(40, FAILURE), step?.detail].filter(Boolean).join('; '),
    hint: step?.hints?.[code] ?? step?.hints?.['*'],
  })
}
