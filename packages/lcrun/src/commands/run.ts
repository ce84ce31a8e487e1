import { type Invocation, isOn } from '@libcontainer/cli'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { finish, finishWords } from '../finish.js'
import { isDetached } from '../launch.js'
import { make } from '../make.js'

/** Makes a container and runs its program; in the foreground exits as it does, and removes the container then. */
export async function run(invocation: Invocation): Promise<number> {
  const { factory, container, token, session } = await make(invocation, {
    detached: isDetached(invocation),
    start: (container, spec) => container.run(spec),
  })
  if (session === undefined) return 0
  const made = { root: factory.root, id: container.id, token }
  const keep = isOn(invocation, 'keep')
  await becomeWaiter(session, { program: 'lcrun', finish: keep ? undefined : finishWords(made, invocation) })
  const status = await attend(session)
  if (!keep) await finish(made, container)
  return status
}
