import { isUnprivileged, removeOrphaned } from '@libcontainer/container'
import { type Availability, LibcontainerError, unavailable } from '@libcontainer/sys'
import { makeShell, openShellFactory } from '../shell/container.js'

const KIND = 'doctor'

/** Runs a program of the host in a container as a shell does, without limits, and removes it: the one certain answer. */
export async function trial(stateRoot: string): Promise<Availability> {
  try {
    const factory = await openShellFactory(stateRoot)
    await removeOrphaned(factory, KIND)
    const container = await makeShell(factory, KIND, { cgroups: {}, hostname: KIND })
    try {
      const process = await container.run({ args: ['/bin/true'], stdio: ['null', 'null', 'null'] })
      const { code, signal } = await process.wait()
      if (code !== 0) return unavailable(`/bin/true ended with ${signal ?? `exit code ${code}`} in a container`)
      return { available: true, detail: (await isUnprivileged()) ? 'in a user namespace' : "as root's own" }
    } finally {
      await factory.remove(container.id)
    }
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    return unavailable(error.message, error.hint)
  }
}
