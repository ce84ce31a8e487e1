import { generateRandomName, ids, remembered, resolveRootfs } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { plainCopy } from '../config/plain-copy.js'
import type { Container } from '../container.js'
import { Factory } from '../factory.js'
import { defaultStateRoot } from '../state/default-root.js'
import { removeOrphaned } from '../state/orphaned.js'
import { sandboxFacts } from './facts.js'
import { checkSandbox, type SandboxOptions } from './options.js'
import { planSandbox } from './plan.js'
import { checkRun, runToEnd, type SandboxResult, type SandboxRun } from './run.js'

const KIND = 'sandbox'

/** A place for programs, in parts of this host's own files. Nothing is there before one is run, and nothing of it after. */
export interface Sandbox {
  /**
   * Runs a program to its end, in a container of its own.
   *
   * @param args - the program, looked up in PATH inside, and its arguments: no shell is between
   * @throws the reason of `signal` when that is aborted: the program, and all that it has started, is killed
   * @throws {ConfigInvalid} for what cannot be, before anything is made
   * @throws {ContainerError} `SystemError` with the step that the kernel refused
   */
  run(args: readonly string[], run?: SandboxRun): Promise<SandboxResult>
  /** A container like this that is not started: for streams, terminals, further programs. The caller's to destroy. */
  create(): Promise<Container>
  /** What it is as a config. */
  config(): Promise<ContainerConfig>
}

/** The state roots that this process has used: what the dead have left there is removed once. */
const factories = new Map<string, () => Promise<Factory>>()
const ownRoot = remembered(() => defaultStateRoot('libcontainer', '/run/libcontainer'))

/**
 * A sandbox: `sandbox({ ro: ['/usr'], tmpfs: ['/tmp'] }).run(['ls', '/'])`. It takes neither a root filesystem nor root: an ordinary user's has a user
 * namespace, in which he is root without any privilege.
 *
 * @throws {ConfigInvalid}
 */
export function sandbox(options: SandboxOptions = {}): Sandbox {
  checkSandbox(options)
  const given = plainCopy(options, 'sandbox')
  const open = async (): Promise<Factory> => await factoryAt(given.stateRoot ?? (await ownRoot()))
  const configIn = async ({ root }: Factory): Promise<ContainerConfig> => {
    // Without links: /var/run is one, mostly.
    return planSandbox(given, await sandboxFacts(given, await resolveRootfs(root)))
  }
  const create = async (): Promise<Container> => {
    const factory = await open()
    return await factory.create(generateRandomName(`${KIND}-${ids().pid}-`, 8), await configIn(factory))
  }
  return {
    create,
    config: async () => await configIn(await open()),
    run: async (args, run = {}) => {
      checkRun(run)
      run.signal?.throwIfAborted()
      return await runToEnd(await create(), args, given, run)
    },
  }
}

async function factoryAt(root: string): Promise<Factory> {
  let factory = factories.get(root)
  if (factory === undefined) {
    factory = remembered(async () => {
      const opened = await Factory.open(root)
      await removeOrphaned(opened, KIND)
      return opened
    })
    factories.set(root, factory)
  }
  return await factory()
}
