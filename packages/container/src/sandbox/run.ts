import { ConfigInvalid, decodeUtf8, encodeUtf8, memoryFile, type OwnedFd, type Waiting } from '@libcontainer/sys'
import type { Reader } from '#streams'
import type { Container } from '../container.js'
import type { ProcessResult } from '../process.js'
import { checkInteger } from '../validate/shape.js'
import type { SandboxOptions } from './options.js'

export interface SandboxRun extends Waiting {
  /** What the program reads, whole. Default: nothing. */
  readonly stdin?: string | Uint8Array | undefined
  /** The program has the streams of this process, and nothing is collected. Default: false. */
  readonly inherit?: boolean | undefined
  /** How much is kept of each stream, in bytes: what comes after is read and dropped. Default: 16 MiB. */
  readonly maxOutput?: number | undefined
}

/** What a program said, and how it ended. */
export interface SandboxResult extends ProcessResult {
  readonly stdout: string
  readonly stderr: string
  /** Some of it was dropped. */
  readonly truncated: boolean
}

/** Runs a program as the first of a container, to its end, and removes the container, whatever happens. */
export async function runToEnd(
  container: Container,
  args: readonly string[],
  { env, cwd }: SandboxOptions,
  { stdin, inherit = false, maxOutput = 16 << 20, signal }: SandboxRun,
): Promise<SandboxResult> {
  const input = inherit ? undefined : inputOf(stdin)
  try {
    const out = inherit ? 'inherit' : 'pipe'
    const stdio = [input ?? (inherit ? 'inherit' : 'null'), out, out] as const
    const process = await container.run({ args, env, cwd, stdio, signal })
    const said = Promise.all([collect(process.stdout, maxOutput), collect(process.stderr, maxOutput)])
    said.catch(() => {})
    const ended = await process.wait()
    // Before the streams are at their end: what it has left behind may hold them, and ends with the container.
    await container.destroy({ force: true })
    const [stdout, stderr] = await said
    signal?.throwIfAborted()
    return { ...ended, stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated }
  } finally {
    input?.close()
    await container.destroy({ force: true })
  }
}

/** @throws {ConfigInvalid} before anything is made */
export function checkRun(run: SandboxRun): void {
  const { stdin, inherit, maxOutput } = run
  if (stdin !== undefined && typeof stdin !== 'string' && !(stdin instanceof Uint8Array))
    throw new ConfigInvalid('stdin', stdin, 'must be text or bytes')
  if (inherit && stdin !== undefined)
    throw new ConfigInvalid('stdin', stdin, 'is that of this process with inherit: leave one of them out')
  checkInteger('maxOutput', maxOutput, 0, 2 ** 30)
}

/** A file in memory, not a pipe: a program that does not read it is nobody's concern. */
const inputOf = (stdin: SandboxRun['stdin']): OwnedFd | undefined =>
  stdin === undefined ? undefined : memoryFile('stdin', typeof stdin === 'string' ? encodeUtf8(stdin) : stdin)

async function collect(stream: Reader | undefined, most: number): Promise<{ text: string; truncated: boolean }> {
  const chunks: Uint8Array[] = []
  let size = 0
  let truncated = false
  for await (const chunk of (stream ?? []) as AsyncIterable<Uint8Array>) {
    const kept = chunk.subarray(0, most - size)
    truncated ||= kept.length < chunk.length
    if (kept.length > 0) chunks.push(kept)
    size += kept.length
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return { text: decodeUtf8(bytes), truncated }
}
