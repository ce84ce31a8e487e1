import { type Invocation, isOn } from '@libcontainer/cli'
import { inImageWords } from '@libcontainer/cli/checkpoint'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { ConfigInvalid } from '@libcontainer/sys'
import { finish, finishWords } from '../finish.js'
import { criuConfigOf, imageOptions } from '../image-options.js'
import { isDetached } from '../launch.js'
import { make } from '../make.js'

/** Makes a container of a bundle, and lets it go on from an image; in the foreground exits as its program does, and removes it then. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const lsmProfile = flags.get('lsm-profile')
  if (lsmProfile !== undefined && !/^(?:apparmor|selinux):./.test(lsmProfile))
    throw new ConfigInvalid('--lsm-profile', lsmProfile, 'must be apparmor:NAME or selinux:CONTEXT')
  const lsmMountContext = flags.get('lsm-mount-context')
  const options = await imageOptions(invocation)
  const { factory, container, token, session } = await make(invocation, {
    detached: isDetached(invocation),
    start: async (container, spec) => {
      const configFile = await criuConfigOf(container)
      return await inImageWords(() => container.restore(spec, { ...options, configFile, lsmProfile, lsmMountContext }))
    },
  })
  if (session === undefined) return 0
  const made = { root: factory.root, id: container.id, token }
  const keep = isOn(invocation, 'keep')
  await becomeWaiter(session, { program: 'lcrun', finish: keep ? undefined : finishWords(made, invocation) })
  try {
    return await attend(session)
  } finally {
    if (!keep) await finish(made, async () => container)
  }
}
