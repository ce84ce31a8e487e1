import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Container, Factory, type Process } from '@libcontainer/container'
import { type Asked, inOci, inOurs } from './asked.js'

export interface Ended {
  readonly code?: number
  readonly signal?: number
  /** Of standard output and standard error together. */
  readonly output: string
}

/** What counts as the same number in both. */
export interface StatsFacts {
  readonly memoryUsed: boolean
  readonly memoryMax: number
  readonly pidsCurrent: number
  readonly pidsMax: number
  readonly cpuUsed: boolean
}

/** A library that runs containers, as far as two of them can be asked the same. Errors carry a code of ours. */
export interface Peer extends AsyncDisposable {
  create(id: string, asked: Asked): Promise<void>
  load(id: string): Promise<string>
  start(id: string, args: readonly string[]): Promise<void>
  run(id: string, args: readonly string[], cwd?: string): Promise<void>
  release(id: string): Promise<void>
  exec(id: string, args: readonly string[], cwd?: string): Promise<Ended>
  /** Of the first process. */
  wait(id: string): Promise<Ended>
  status(id: string): Promise<string>
  processes(id: string): Promise<number>
  stats(id: string): Promise<StatsFacts>
  signal(id: string, signal: number): Promise<void>
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  destroy(id: string): Promise<void>
}

export class PeerError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export async function openOurs(root: string): Promise<Peer> {
  const factory = await Factory.open(root)
  const containers = new Map<string, Container>()
  const inits = new Map<string, Promise<Ended>>()
  const of = async (id: string): Promise<Container> => containers.get(id) ?? (await factory.load(id))
  const spec = (args: readonly string[], cwd = '/') => ({
    args,
    cwd,
    env: inOci.environment,
    stdio: ['null', 'pipe', 'pipe'] as const,
  })
  return {
    async create(id, asked) {
      containers.set(id, await factory.create(id, inOurs(id, asked)))
    },
    load: async id => (await factory.load(id)).id,
    async start(id, args) {
      inits.set(id, ended(await (await of(id)).start(spec(args))))
    },
    async run(id, args, cwd) {
      inits.set(id, ended(await (await of(id)).run(spec(args, cwd))))
    },
    release: async id => await (await of(id)).exec(),
    exec: async (id, args, cwd) => await ended(await (await of(id)).exec(spec(args, cwd))),
    wait: async id => await inits.get(id)!,
    status: async id => await (await of(id)).status(),
    processes: async id => (await (await of(id)).processes()).length,
    async stats(id) {
      const { memory, pids, cpu } = (await (await of(id)).stats()).cgroups
      return {
        memoryUsed: memory!.current > 0,
        memoryMax: Number(memory!.max),
        pidsCurrent: pids!.current,
        pidsMax: Number(pids!.max),
        cpuUsed: cpu!.usageUs > 0,
      }
    },
    signal: async (id, signal) => await (await of(id)).signal(signal),
    pause: async id => await (await of(id)).pause(),
    resume: async id => await (await of(id)).resume(),
    destroy: async id => await (await of(id)).destroy(),
    async [Symbol.asyncDispose]() {
      for (const container of containers.values()) await container.destroy({ force: true })
    },
  }
}

async function ended(process: Process): Promise<Ended> {
  const chunks: Uint8Array[] = []
  const read = async (stream: AsyncIterable<unknown> | undefined): Promise<void> => {
    for await (const chunk of stream ?? []) chunks.push(chunk as Uint8Array)
  }
  const [{ code, signal }] = await Promise.all([process.wait(), read(process.stdout), read(process.stderr)])
  const output = Buffer.concat(chunks).toString()
  return code === undefined ? { signal: signalNumbers[signal!]!, output } : { code, output }
}

const signalNumbers: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

const goProgram = fileURLToPath(new URL('../../.cache/peers/libcontainer-go', import.meta.url))

/** Why Go's libcontainer could not be built here (see build.mjs, of set-up); `undefined` where it was. */
export function lackOfGo(): string | undefined {
  if (existsSync(goProgram)) return undefined
  const reason = fileURLToPath(new URL('../../.cache/peers/lack-of-go.txt', import.meta.url))
  return existsSync(reason)
    ? readFileSync(reason, 'utf8')
    : `${goProgram} is absent: node test/peers/build.mjs makes it`
}

/** Its errors by the code that ours has for the same. */
const codes: readonly (readonly [RegExp, string])[] = [
  [/ID already exists/, 'IdInUse'],
  [/invalid container ID/, 'InvalidIdFormat'],
  [/container does not exist/, 'ContainerNotExists'],
  [/container paused/, 'ContainerPaused'],
  [/container still running/, 'ContainerNotStopped'],
  [/container not running/, 'ContainerNotRunning'],
  [/container not paused/, 'NotPaused'],
]

export async function openGo(root: string): Promise<Peer> {
  const child = spawn(goProgram, [root], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ids = new Set<string>()
  let turn = Promise.resolve()
  const ask = async <T>(order: object): Promise<T> => {
    const before = turn
    let done = (): void => {}
    turn = new Promise(resolve => {
      done = resolve
    })
    await before
    try {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      const { value } = await lines.next()
      const answer = JSON.parse(value) as { value: T; error?: string }
      if (answer.error === undefined) return answer.value
      const code = codes.find(([pattern]) => pattern.test(answer.error!))?.[1] ?? 'SystemError'
      throw new PeerError(code, answer.error)
    } finally {
      done()
    }
  }
  return {
    async create(id, asked) {
      ids.add(id)
      await ask({ do: 'create', id, spec: inOci(id, asked) })
    },
    load: async id => await ask({ do: 'load', id }),
    start: async (id, args) => await ask({ do: 'start', id, args }),
    run: async (id, args, cwd) => await ask({ do: 'run', id, args, cwd }),
    release: async id => await ask({ do: 'release', id }),
    exec: async (id, args, cwd) => await ask({ do: 'exec', id, args, cwd }),
    wait: async id => await ask({ do: 'wait', id }),
    status: async id => await ask({ do: 'status', id }),
    processes: async id => await ask({ do: 'processes', id }),
    stats: async id => await ask({ do: 'stats', id }),
    signal: async (id, signal) => await ask({ do: 'signal', id, signal }),
    pause: async id => await ask({ do: 'pause', id }),
    resume: async id => await ask({ do: 'resume', id }),
    destroy: async id => await ask({ do: 'destroy', id }),
    async [Symbol.asyncDispose]() {
      for (const id of ids) {
        for (const order of ['resume', 'signal', 'wait', 'destroy'])
          await ask({ do: order, id, signal: 9 }).catch(() => {})
      }
      child.stdin.end()
      await new Promise(resolve => child.once('exit', resolve))
    },
  }
}
