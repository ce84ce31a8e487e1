import { isErrno, type OwnedFd, type Step, sendMessage } from '@libcontainer/sys'
import { type Answer, encodeAnswer } from './records.js'

/** A process that was made, and a descriptor that means it. */
export interface Child {
  readonly pid: number
  readonly pidfd: OwnedFd
}

/** Who answers an `ask` without being asked. */
export type AnswersAhead = Readonly<Record<string, (child: Promise<Child>) => Promise<Answer | undefined>>>

/** The answers to what a plan asks for, which go out in its order. */
export class Answers {
  readonly #control: OwnedFd
  readonly #slots: ReadonlyMap<string, number>
  /** The names that the plan asks for and that are not answered yet, in order. */
  readonly #asks: string[]
  readonly #ahead = new Map<string, Promise<Answer | undefined>>()
  readonly #fail: (error: unknown) => void
  readonly #child: Promise<Child>
  /** The process is there that will run the program. */
  born: (child: Child) => void = () => {}
  /** There will be none. */
  unborn: (cause: unknown) => void = () => {}

  /** @param fail - told what goes wrong with an answer ahead */
  constructor(
    control: OwnedFd,
    { steps, slots }: { readonly steps: readonly Step[]; readonly slots: ReadonlyMap<string, number> },
    fail: (error: unknown) => void,
  ) {
    this.#control = control
    this.#slots = slots
    this.#asks = steps.filter(({ op }) => op === 'ask' || op === 'askWithFiles').map(({ args }) => String(args[0]))
    this.#fail = fail
    this.#child = new Promise((resolve, reject) => {
      this.born = resolve
      this.unborn = reject
    })
    this.#child.catch(() => {})
  }

  /** How many have to be asked for. */
  get asked(): number {
    return this.#asks.filter(name => !this.isAhead(name)).length
  }

  isAhead(name: string): boolean {
    return this.#ahead.has(name)
  }

  /** Begins those that need not be asked for, and sends them as they come. */
  prepare(ahead: AnswersAhead): void {
    for (const [name, prepare] of Object.entries(ahead)) {
      const answer = prepare(this.#child)
      answer.catch(() => {})
      this.#ahead.set(name, answer)
    }
    void this.#sendAhead()
  }

  /** Sends the one that was asked for, and what is next and need not be. */
  async send(answer: Answer): Promise<void> {
    this.#send(answer)
    await this.#sendAhead()
  }

  #send(answer: Answer): void {
    const { bytes, fds } = encodeAnswer(answer, this.#slots)
    this.#asks.shift()
    try {
      sendMessage(this.#control, bytes, fds)
    } catch (error) {
      // Init died meanwhile: the end of file that follows says how.
      if (!isErrno(error, 'EPIPE', 'ECONNRESET')) throw error
    }
  }

  async #sendAhead(): Promise<void> {
    try {
      for (
        let answer = this.#ahead.get(this.#asks[0]!);
        answer !== undefined;
        answer = this.#ahead.get(this.#asks[0]!)
      ) {
        const ready = (await answer) ?? {}
        if (this.#control.closed) return
        this.#send(ready)
      }
    } catch (error) {
      this.#fail(error)
    }
  }
}
