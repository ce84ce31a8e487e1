import { probe as probeAppArmor } from '@libcontainer/apparmor'
import { type Availability, type Probe, probeEach, readTextIfPresent, unavailable } from '@libcontainer/sys'

/**
 * What of this host makes engines ask for more than an ordinary `config.json` holds: with AppArmor they write a profile into it, with SELinux
 * labels, and classes of resctrl only where that is mounted.
 */
export async function probe(): Promise<Probe<'apparmor' | 'selinux' | 'resctrl'>> {
  return await probeEach({
    apparmor: async () => (await probeAppArmor()).apparmor,
    selinux: async () => await present('/sys/fs/selinux/enforce', 'the kernel runs without SELinux'),
    // Loaded when it is asked for, as by container.
    resctrl: async () => (await (await import('@libcontainer/intelrdt')).probe()).resctrl,
  })
}

async function present(path: string, reason: string): Promise<Availability> {
  return (await readTextIfPresent(path)) === undefined ? unavailable(reason) : { available: true }
}
