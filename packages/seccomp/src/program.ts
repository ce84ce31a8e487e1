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
  /** The code, and above it the two distances of a conditional jump. */
  readonly #heads: number[] = []
  readonly #ks: number[] = []
  readonly #returns = new Map<number, number>()

  get length(): number {
    return this.#heads.length
  }

  /** `return value`: an earlier one, where it is near. */
  ret(value: number): number {
    const label = this.#returns.get(value)
    if (label !== undefined && this.#heads.length - label < 240) return label
    const fresh = this.#push(RET, value)
    this.#returns.set(value, fresh)
    return fresh
  }

  /** The accumulator becomes the word at `offset` of `struct seccomp_data`; goes on with what was written last. */
  load(offset: number): number {
    return this.#push(LD_ABS, offset)
  }

  /** The accumulator is masked; goes on with what was written last. */
  and(mask: number): number {
    return this.#push(AND, mask)
  }

  /** Compares the accumulator with `k`. */
  jump(code: Jump, k: number, whenTrue: number, whenFalse: number): number {
    const heads = this.#heads
    // The jump itself will have this place, or one further for each stepping stone.
    const yes = heads.length - 1 - whenTrue > 254 ? this.#steppingStone(whenTrue) : whenTrue
    const no = heads.length - 1 - whenFalse > 255 ? this.#steppingStone(whenFalse) : whenFalse
    const last = heads.length - 1
    return this.#push(code | ((last - yes) << 16) | ((last - no) << 24), k)
  }

  /** A conditional jump has 8 bits for its distance: a farther target gets a step in between. */
  #steppingStone(label: number): number {
    if (this.#heads[label] === RET) return this.ret(this.#ks[label]!)
    return this.#push(JA, this.#heads.length - 1 - label)
  }

  /** Makes `label` what the next written instruction is followed by. */
  before(label: number): void {
    const distance = this.#heads.length - 1 - label
    if (distance > 0) this.#push(JA, distance)
  }

  #push(head: number, k: number): number {
    this.#ks.push(k)
    return this.#heads.push(head) - 1
  }

  /** The instructions as the kernel of an architecture of this byte order reads them, from the last one written on. */
  encode(littleEndian: boolean): Uint8Array<ArrayBuffer> {
    const view = new DataView(new ArrayBuffer(this.length * INSTRUCTION))
    for (let i = this.length - 1, at = 0; i >= 0; i--, at += INSTRUCTION) {
      const head = this.#heads[i]!
      // __u16 code, __u8 jt, __u8 jf: in the other byte order the code comes first all the same.
      const word = littleEndian ? head : (head << 16) | ((head >>> 8) & 0xff00) | (head >>> 24)
      view.setUint32(at, word, littleEndian)
      view.setUint32(at + 4, this.#ks[i]!, littleEndian)
    }
    return new Uint8Array(view.buffer)
  }
}
