import { type Probe, probeCapability, probeEach } from '@libcontainer/sys'
import { confirmHelper } from './helper.js'

/** CAP_NET_ADMIN of linux/capability.h. */
const CAP_NET_ADMIN = 12

/** What this host offers: `links` are networks of the kernel's, `pasta` and `slirp4netns` those of programs. */
export async function probe(): Promise<Probe<'links' | 'pasta' | 'slirp4netns'>> {
  return await probeEach({
    links: () => probeCapability('CAP_NET_ADMIN', CAP_NET_ADMIN),
    pasta: async () => (await confirmHelper('pasta')).path,
    slirp4netns: async () => (await confirmHelper('slirp4netns')).path,
  })
}
