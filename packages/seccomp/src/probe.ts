import { type Availability, type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { ACTIONS, type Action, FLAGS, type Flag } from './actions.js'
import { nativeArch, type SeccompSupport, seccompSupport } from './support.js'

/** Which filters, actions and flags the running kernel takes, and the architecture it runs on; nothing is loaded. */
export async function probe(): Promise<Probe<'filters' | 'arch' | Action | Flag>> {
  let known: SeccompSupport | undefined
  const support = (): SeccompSupport => {
    known ??= seccompSupport()
    return known
  }
  const filters = (): Availability =>
    support().filters
      ? { available: true }
      : unavailable('seccomp(2) takes no filters', 'a kernel with CONFIG_SECCOMP_FILTER has them')
  const among = (list: 'actions' | 'flags', name: Action | Flag): Availability => {
    const all = filters()
    if (!all.available || (support()[list] as readonly string[]).includes(name)) return all
    return unavailable(`seccomp(2) does not know ${name}`, 'a later kernel does')
  }
  const actions = (Object.keys(ACTIONS) as Action[]).map(name => [name, () => among('actions', name)])
  const flags = (Object.keys(FLAGS) as Flag[]).map(name => [name, () => among('flags', name)])
  return await probeEach({
    filters,
    arch: () => nativeArch(),
    ...(Object.fromEntries([...actions, ...flags]) as Record<Action | Flag, () => Availability>),
  })
}
