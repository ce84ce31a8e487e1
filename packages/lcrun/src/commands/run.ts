import { type Invocation, isOn } from '@libcontainer/cli'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { finish, finishWords } from '../finish.js'
import { isDetached } from '../launch.js'
import { make } from '../make.js'
import { listenForReadiness, type Readiness } from '../notify.js'

/** Makes a container and runs its program; in the foreground exits as it does, and removes the container then. */
export async function run(invocation: Invocation): Promise<number> {
  let readiness: Readiness | undefined
  const { factory, container, token, session } = await make(invocation, {
    detached: isDetached(invocation),
    start: async (container, spec, directory) => {
      readiness = await listenForReadiness(directory)
      return await container.run(spec)
    },
  })
  if (session === undefined) {
    await readiness?.tell(container, { handOver: true })
    return 0
  }
  const made = { root: factory.root, id: container.id, token }
  const keep = isOn(invocation, 'keep')
  // Who passes the word on stays what it is; and we are the process to watch, which ends as the program does.
  if (readiness !== undefined) void readiness.tell(container)
  else await becomeWaiter(session, { program: 'lcrun', finish: keep ? undefined : finishWords(made, invocation) })
  try {
    return await attend(session)
  } finally {
    if (!keep) await finish(made, async () => container)
  }
}
