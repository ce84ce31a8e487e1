import { ConfigInvalid, parseJson, readTextIfPresent } from '@libcontainer/sys'
import type { ContainerConfig } from './config/config.js'
import type { ProcessSpec } from './config/process-spec.js'
import type { Container } from './container.js'
import { readConfig } from './dialects/index.js'
import type { FactoryOptions } from './factory.js'
import { create, load } from './functions.js'
import type { Process } from './process.js'

/**
 * Builds a container, or a process in one, word by word: a convenience over {@link create} and {@link load}.
 *
 * ```ts
 * const demo = await container('demo').withRoot('/run/demo').asInit('/srv/demo').withArgs('/bin/sh').build()
 * const process = await container('demo').withRoot('/run/demo').asTenant().withArgs('/bin/ls').build()
 * ```
 */
export function container(id: string): ContainerBuilder {
  return new ContainerBuilder(id)
}

/** Where a container is, and how its factory is opened: what {@link container} answers. */
export class ContainerBuilder {
  readonly #id: string
  #root = '/run/libcontainer'
  #options: FactoryOptions = {}

  /** @internal */
  constructor(id: string) {
    this.#id = id
  }

  /** The state root. Default: `/run/libcontainer`. */
  withRoot(root: string): this {
    this.#root = root
    return this
  }

  /** As for `Factory.open`. */
  withOptions(options: FactoryOptions): this {
    this.#options = { ...this.#options, ...options }
    return this
  }

  /**
   * A new container.
   *
   * @param bundle - a directory with a `config.json` or `container.json`, whose root filesystem is its `rootfs` unless it says another; or a config
   */
  asInit(bundle: string | ContainerConfig): InitBuilder {
    return new InitBuilder(async spec => await this.#init(bundle, spec))
  }

  /** A further process of a container that runs. */
  asTenant(): TenantBuilder {
    return new TenantBuilder(async spec => await (await load(this.#root, this.#id, this.#options)).exec(checked(spec)))
  }

  async #init(bundle: string | ContainerConfig, spec: Partial<ProcessSpec>): Promise<Container> {
    const { config, process } = typeof bundle === 'string' ? await readBundle(bundle) : { config: bundle, process: {} }
    const made = await create(this.#root, this.#id, config, this.#options)
    const all = { ...process, ...spec }
    if (all.args === undefined) return made
    try {
      await made.start(checked(all))
    } catch (error) {
      await made.destroy({ force: true })
      throw error
    }
    return made
  }
}

/** What a process is to be. Each word replaces what was said of it before. */
class ProcessBuilder<T> {
  #spec: Partial<ProcessSpec> = {}
  readonly #make: (spec: Partial<ProcessSpec>) => Promise<T>

  /** @internal */
  constructor(make: (spec: Partial<ProcessSpec>) => Promise<T>) {
    this.#make = make
  }

  /** The program and its arguments. */
  withArgs(...args: readonly string[]): this {
    return this.withProcess({ args })
  }

  withEnv(env: NonNullable<ProcessSpec['env']>): this {
    return this.withProcess({ env })
  }

  withCwd(cwd: string): this {
    return this.withProcess({ cwd })
  }

  withUser(user: NonNullable<ProcessSpec['user']>): this {
    return this.withProcess({ user })
  }

  /** Any other field of a process. */
  withProcess(spec: Partial<ProcessSpec>): this {
    this.#spec = { ...this.#spec, ...spec }
    return this
  }

  /** Does it. */
  async build(): Promise<T> {
    return await this.#make(this.#spec)
  }
}

/** A new container: `build()` answers with it; where a program is named it is `created`, and its `exec()` lets the program run. */
export class InitBuilder extends ProcessBuilder<Container> {}

/** A further process: `build()` answers with it, running. */
export class TenantBuilder extends ProcessBuilder<Process> {}

function checked({ args, ...others }: Partial<ProcessSpec>): ProcessSpec {
  if (args === undefined) throw new ConfigInvalid('process.args', args, 'must name a program: say withArgs(…)')
  return { args, ...others }
}

async function readBundle(
  directory: string,
): Promise<{ readonly config: ContainerConfig; readonly process: Partial<ProcessSpec> }> {
  for (const name of ['config.json', 'container.json']) {
    const path = `${directory}/${name}`
    const text = await readTextIfPresent(path)
    if (text === undefined) continue
    const { config, process } = readConfig(parsed(text, path), { rootfs: `${directory}/rootfs` })
    const { rootfs } = config
    return { config: rootfs.startsWith('/') ? config : { ...config, rootfs: `${directory}/${rootfs}` }, process }
  }
  throw new ConfigInvalid('bundle', directory, 'must be a directory with a config.json or a container.json')
}

function parsed(text: string, path: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new ConfigInvalid('bundle', path, `is not JSON: ${(cause as Error).message}`, { cause })
  }
}
