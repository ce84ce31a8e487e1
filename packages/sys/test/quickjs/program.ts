import {
  args,
  decodeUtf8,
  encodeUtf8,
  engine,
  environment,
  exit,
  LibcontainerError,
  loadAsset,
  POLLIN,
  pipe,
  poll,
  readText,
  sleep,
  writeFd,
} from '@libcontainer/sys'
import { parseJson, stringifyJson } from '../../dist/json/json.js'
import { cases } from './cases.js'

/** The program of quickjs.test.ts: runs in the static executable, one act for each command line. */
const print = (value: unknown): Promise<void> => writeFd(1, encodeUtf8(`${JSON.stringify(value)}\n`))

const acts: Record<string, (...rest: string[]) => unknown> = {
  async cases() {
    const results: Record<string, unknown> = {}
    for (const [name, run] of Object.entries(cases)) results[name] = await run()
    await print(results)
  },
  args: (...rest) => print(rest),
  environment: () => print(environment),
  engine: () => print(engine),
  asset: () => print([...loadAsset('greeting', '')]),
  async 'asset-absent'() {
    loadAsset('absent', '')
  },

  /** Hexadecimal sequences, one a line, as text. */
  async decode(file) {
    const lines = (await readText(file!)).trimEnd().split('\n')
    await print(lines.map(line => new TextDecoder().decode(bytesOf(line))))
  },
  /** The same in pieces of every size. */
  async 'decode-stream'(file) {
    const lines = (await readText(file!)).trimEnd().split('\n').map(bytesOf)
    const differing = lines.filter(bytes => {
      const whole = new TextDecoder('utf8', { ignoreBOM: true }).decode(bytes)
      return [1, 2, 3].some(size => {
        const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
        let text = ''
        for (let at = 0; at < bytes.length; at += size)
          text += decoder.decode(bytes.subarray(at, at + size), { stream: true })
        return text + decoder.decode() !== whole
      })
    })
    await print(differing.map(bytes => [...bytes]))
  },
  async 'decode-fatal'() {
    const refused = (bytes: number[]): boolean => {
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes))
        return false
      } catch (error) {
        return error instanceof TypeError
      }
    }
    await print([refused([0x61]), refused([0xef, 0xbf, 0xbd]), refused([0xff]), refused([0xc3])])
  },
  encode: () => print(['a\ud800b', '\udc00', 'é€😀\0'].map(text => [...new TextEncoder().encode(text)])),

  /** What JSON.parse makes of each text, or that it refuses it. */
  async json(file) {
    const texts = JSON.parse(await readText(file!)) as string[]
    const parse = (text: string): unknown => {
      try {
        return { value: stringifyJson(parseJson(text)) }
      } catch (error) {
        return { refused: (error as Error).name }
      }
    }
    await print(texts.map(parse))
  },

  async timers() {
    const order: string[] = []
    const after = (ms: number, name: string): Promise<void> => sleep(ms).then(() => void order.push(name))
    const all = [after(30, 'c'), after(10, 'a'), after(20, 'b'), after(0, 'first'), after(0, 'second'), after(30, 'd')]
    queueMicrotask(() => order.push('job'))
    order.push('now')
    await Promise.all(all)
    await print(order)
  },
  async poll() {
    const { read, write } = pipe()
    const order: string[] = []
    const ready = poll(read.fd, POLLIN).then(events => order.push(`ready ${events}`))
    await sleep(5)
    order.push('slept')
    await writeFd(write.fd, Uint8Array.of(1))
    await ready
    write.close()
    order.push(`closed ${await poll(read.fd, 0)}`)
    const refused = await poll(999, POLLIN).catch((error: LibcontainerError) => error.code)
    await print([...order, refused])
  },
  async 'poll-many'() {
    const pipes = Array.from({ length: 100 }, () => pipe())
    const seen: number[] = []
    const all = pipes.map(({ read }, i) => poll(read.fd, POLLIN).then(() => seen.push(i)))
    for (const { write } of [...pipes].reverse()) await writeFd(write.fd, Uint8Array.of(1))
    await Promise.all(all)
    await print(seen.length)
  },
  async abort() {
    const controller = new AbortController()
    const { read } = pipe()
    const outcomes = Promise.allSettled([
      poll(read.fd, POLLIN, { signal: controller.signal }),
      sleep(60_000, { signal: controller.signal }),
      sleep(60_000, { signal: AbortSignal.any([controller.signal, AbortSignal.timeout(50_000)]) }),
      sleep(60_000, { signal: AbortSignal.timeout(5) }),
      sleep(60_000, { signal: AbortSignal.abort() }),
      poll(read.fd, POLLIN, { signal: AbortSignal.abort('why') }),
    ])
    await sleep(10)
    controller.abort(new Error('enough'))
    const reasons = (await outcomes).map(outcome => {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined
      return reason instanceof Error ? `${reason.name}: ${reason.message}` : reason
    })
    await print(reasons)
  },
  async listeners() {
    const order: string[] = []
    const { signal } = Object.assign(new AbortController(), {})
    const controller = new AbortController()
    const remove = (): void => void order.push('removed')
    controller.signal.addEventListener('abort', ({ type, target }) => {
      order.push(`${type} ${(target as AbortSignal).aborted}`)
    })
    controller.signal.addEventListener('abort', remove)
    controller.signal.removeEventListener('abort', remove)
    controller.signal.onabort = () => void order.push('onabort')
    controller.abort()
    controller.abort()
    await print([...order, signal.aborted, (controller.signal.reason as Error).name])
  },

  random: () => print(Math.random()),
  status: code => exit(Number(code)),
  answer: code => Number(code),
  'uncaught-ours'() {
    throw new LibcontainerError('E', 'the message', { hint: 'the remedy', cause: new Error('deeper') })
  },
  'uncaught-defect'() {
    ;(undefined as unknown as { x: () => void }).x()
  },
  async unhandled() {
    void Promise.reject(new Error('nobody cares'))
    await sleep(60_000)
  },
  async 'handled-later'() {
    const rejected = Promise.reject(new Error('somebody cares'))
    await Promise.resolve()
    await rejected.catch(() => undefined)
    await print('handled')
  },
  async 'throws-in-timer'() {
    await sleep(1).then(() => {
      throw new TypeError('late')
    })
  },
  unsettled: () => new Promise(() => undefined),
  'background-timer'() {
    AbortSignal.timeout(60_000)
  },

  async memory() {
    const resident = async (): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readText('/proc/self/status'))![1])
    const churn = async (): Promise<void> => {
      for (let i = 0; i < 3000; i++) {
        const tree = JSON.parse(
          JSON.stringify({ list: Array.from({ length: 20 }, (_, n) => ({ n, text: `${i}-${n}` })) }),
        )
        tree.self = tree
        await Promise.resolve(decodeUtf8(new Uint8Array(i * 20)))
      }
    }
    const start = await resident()
    await churn()
    await churn()
    const once = await resident()
    await churn()
    await churn()
    await print({ start, grown: (await resident()) - once })
  },
  /** More nesting than the stack holds is an error, not a crash. */
  async deep() {
    try {
      JSON.parse('['.repeat(1_000_000))
    } catch (error) {
      await print((error as Error).name)
    }
  },
  'signal-state': async () => print(/SigIgn:\s*(\w+)/.exec(await readText('/proc/self/status'))![1]),
  async split() {
    await print((await import('./part.js')).part)
  },
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/** Called at each start; everything above was evaluated when the executable was built. */
export default async function main(): Promise<unknown> {
  return await acts[args[0]!]!(...args.slice(1))
}
