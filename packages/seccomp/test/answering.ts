import { type Decide, NotifyAgent, type ReceivedListener } from '@libcontainer/seccomp'

/** An agent that answers each call alike, and what it was handed. */
export class Answering implements AsyncDisposable {
  readonly #agent: NotifyAgent
  readonly #stop = new AbortController()
  readonly #serving: Promise<void>
  readonly received: ReceivedListener[] = []
  readonly calls: (string | undefined)[] = []
  /** How many listeners have ended, since nobody has their filters any more. */
  ended = 0

  private constructor(agent: NotifyAgent, decide: Decide) {
    this.#agent = agent
    const serveOne = async (received: ReceivedListener): Promise<void> => {
      this.received.push(received)
      const { listener } = received
      try {
        await listener.serve(notification => {
          this.calls.push(notification.syscall)
          return decide(notification)
        }, this.#stop)
        this.ended++
      } finally {
        listener.close()
      }
    }
    this.#serving = agent.serve(serveOne, { signal: this.#stop.signal }).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
  }

  static async at(path: string, decide: Decide): Promise<Answering> {
    return new Answering(await NotifyAgent.listen(path), decide)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#serving
    await this.#agent.close()
  }
}
