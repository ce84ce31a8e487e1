import { spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type Container,
  type ContainerConfig,
  Factory,
  type FactoryOptions,
  type Process,
  type ProcessResult,
  type ProcessSpec,
} from '@libcontainer/container'
import { expect } from 'vitest'
import {
  busyboxRootfs,
  copyOfBusyboxRootfs,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'

/** What a program said and how it ended. */
export interface Ran extends ProcessResult {
  readonly stdout: string
  readonly stderr: string
}

/** A state root of the test's own; whatever containers it has made are removed at its end, also when the test fails. */
export class Bench implements AsyncDisposable {
  readonly factory: Factory
  readonly #directory: TemporaryDirectory
  readonly #prefix: string
  #count = 0

  private constructor(factory: Factory, directory: TemporaryDirectory, prefix: string) {
    this.factory = factory
    this.#directory = directory
    this.#prefix = prefix
  }

  static async open(name: string, options: FactoryOptions = {}): Promise<Bench> {
    const directory = temporaryDirectory(`${name}-`)
    return new Bench(await Factory.open(`${directory.path}/state`, options), directory, `${name}-${process.pid}`)
  }

  /** An id that no other test of this machine has. */
  id(): string {
    this.#count++
    return `${this.#prefix}-${this.#count}`
  }

  async create(config: Partial<ContainerConfig> = {}, id = this.id()): Promise<Container> {
    return await this.factory.create(id, { rootfs: busyboxRootfs(), ...config })
  }

  /** A container whose first process sleeps. */
  async running(...config: Parameters<Bench['create']>): Promise<{ container: Container; init: Process }> {
    const container = await this.create(...config)
    return { container, init: await container.run(sleeper) }
  }

  /** Runs a program as the first of a container of its own, to its end. */
  async run(spec: ProcessSpec | string, config: Partial<ContainerConfig> = {}): Promise<Ran> {
    const container = await this.create(config)
    try {
      return await finished(await container.run(piped(spec)))
    } finally {
      await container.destroy({ force: true })
    }
  }

  /** What a shell script prints, which must end well. */
  async text(script: string, config: Partial<ContainerConfig> = {}, spec: Partial<ProcessSpec> = {}): Promise<string> {
    return printed(await this.run({ args: ['/bin/sh', '-c', script], ...spec }, config))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let i = 1; i <= this.#count; i++) await this.factory.remove(`${this.#prefix}-${i}`)
    this.#directory[Symbol.dispose]()
  }
}

/** A shell script, or a program; what it prints comes through pipes. */
function piped(spec: ProcessSpec | string): ProcessSpec {
  if (typeof spec === 'string') return { args: ['/bin/sh', '-c', spec], stdio: ['null', 'pipe', 'pipe'] }
  return spec.terminal || spec.stdio !== undefined ? spec : { ...spec, stdio: ['null', 'pipe', 'pipe'] }
}

export async function read(stream: AsyncIterable<unknown> | null | undefined): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream ?? []) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString()
}

/** All that a process says, and its end. */
export async function finished(process: Process): Promise<Ran> {
  const [stdout, stderr, result] = await Promise.all([read(process.stdout), read(process.stderr), process.wait()])
  return { stdout, stderr, ...result }
}

/** What a program printed, without the last line end; it must have ended well. */
export function printed({ stdout, ...rest }: Ran): string {
  expect(rest, stdout).toMatchObject({ code: 0, signal: undefined, stderr: '' })
  return stdout.replace(/\n$/, '')
}

/** Runs a further shell script in a running container. */
export async function inside(container: Container, script: string, spec: Partial<ProcessSpec> = {}): Promise<string> {
  return printed(await finished(await container.exec({ ...piped(script), ...spec })))
}

/** A root filesystem of the test's own, which every user may enter. */
export function ownRootfs(): TemporaryDirectory {
  const rootfs = copyOfBusyboxRootfs()
  chmodSync(rootfs.path, 0o755)
  return rootfs
}

/** A shell script, as whoever runs it wants its streams. */
export const sh = (script: string, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
  args: ['/bin/sh', '-c', script],
  ...more,
})

/** Of a user namespace: ids that no user of the host has. */
export const hostIds = [{ containerId: 0, hostId: 100000, size: 65536 }]

/** A first process that lives until it is killed. */
export const sleeper: ProcessSpec = { args: ['/bin/sleep', '1000'], env: ['PATH=/bin'] }

/**
 * Runs JavaScript in a Node.js process of its own, with `Factory` and its arguments as `args`; answers with what it prints as JSON.
 * A promise that rejects is printed as the error's code.
 */
export async function elsewhere(program: string, ...args: readonly string[]): Promise<unknown> {
  const source = `
    import { Factory } from '@libcontainer/container'
    const args = process.argv.slice(1)
    const answer = await (async () => { ${program} })().catch(error => ({ error: error.code, message: error.message }))
    process.stdout.write(JSON.stringify(answer ?? null))
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const code = new Promise(resolve => child.once('close', resolve))
  const text = await read(child.stdout)
  expect(await code, text).toBe(0)
  return JSON.parse(text)
}
