/* The instructions of classic BPF that a filter is made of: linux/bpf_common.h. */
export const LD_ABS = 0x20
export const JA = 0x05
export const JEQ = 0x15
export const JGT = 0x25
export const JGE = 0x35
export const AND = 0x54
export const RET = 0x06

export type Jump = typeof JEQ | typeof JGT | typeof JGE

/** The size of `struct sock_filter`. */
export const INSTRUCTION = 8

/**
 * A filter, written from its end to its beginning: so every jump knows its target, and code that is the same is written
 * once. A label is the number of instructions that follow the one that it names.
 */
export class Program {
  readonly #codes: number[] = []
  readonly #trues: number[] = []
  readonly #falses: number[] = []
  readonly #ks: number[] = []
  readonly #returns = new Map<number, number>()

  get length(): number {
    return this.#codes.length
  }

  /** `return value`: an earlier one, where it is near. */
  ret(value: number): number {
    const label = this.#returns.get(value)
    if (label !== undefined && this.length - label < 240) return label
    const fresh = this.#push(RET, 0, 0, value)
    this.#returns.set(value, fresh)
    return fresh
  }

  /** The accumulator becomes the word at `offset` of `struct seccomp_data`; goes on with what was written last. */
  load(offset: number): number {
    return this.#push(LD_ABS, 0, 0, offset)
  }

  /** The accumulator is masked; goes on with what was written last. */
  and(mask: number): number {
    return this.#push(AND, 0, 0, mask)
  }

  /** Compares the accumulator with `k`. */
  jump(code: Jump, k: number, whenTrue: number, whenFalse: number): number {
    const yes = this.#near(whenTrue, 254)
    const no = this.#near(whenFalse, 255)
    return this.#push(code, this.length - 1 - yes, this.length - 1 - no, k)
  }

  /** A conditional jump has 8 bits for its distance: a farther target gets a stepping stone in front. */
  #near(label: number, limit: number): number {
    const distance = this.length - 1 - label
    if (distance <= limit) return label
    return this.#codes[label] === RET ? this.ret(this.#ks[label]!) : this.#push(JA, 0, 0, distance)
  }

  /** Makes `label` what the next written instruction is followed by. */
  before(label: number): void {
    const distance = this.length - 1 - label
    if (distance > 0) this.#push(JA, 0, 0, distance)
  }

  #push(code: number, whenTrue: number, whenFalse: number, k: number): number {
    this.#codes.push(code)
    this.#trues.push(whenTrue)
    this.#falses.push(whenFalse)
    this.#ks.push(k)
    return this.#codes.length - 1
  }

  /** The instructions as the kernel of an architecture of this byte order reads them, from the last one written on. */
  encode(littleEndian: boolean): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length * INSTRUCTION)
    const view = new DataView(bytes.buffer)
    for (let i = this.length - 1, at = 0; i >= 0; i--, at += INSTRUCTION) {
      view.setUint16(at, this.#codes[i]!, littleEndian)
      bytes[at + 2] = this.#trues[i]!
      bytes[at + 3] = this.#falses[i]!
      view.setUint32(at + 4, this.#ks[i]!, littleEndian)
    }
    return bytes
  }
}
