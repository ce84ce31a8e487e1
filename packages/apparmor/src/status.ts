import { exists, isErrno, readTextIfPresent, SyscallError } from '@libcontainer/sys'
import { type ProfileName, parseProfileName } from './label.js'

/** Where the kernel shows AppArmor: securityfs. */
export const SECURITYFS = '/sys/kernel/security/apparmor'
const PARAMETERS = '/sys/module/apparmor/parameters'

/** What the kernel does about what a profile does not allow. */
export type ProfileMode = 'enforce' | 'complain' | 'kill' | 'unconfined' | 'user' | 'mixed'

export interface Status {
  readonly enabled: boolean
  /** Of the whole system. */
  readonly mode?: string | undefined
  /** Why it is not enabled. */
  readonly reason?: string | undefined
}

/** Whether the kernel has AppArmor switched on, and shows its files. */
export async function status(): Promise<Status> {
  const parameter = await readTextIfPresent(`${PARAMETERS}/enabled`)
  if (parameter === undefined) return { enabled: false, reason: 'the kernel was built without AppArmor' }
  if (!parameter.startsWith('Y'))
    return {
      enabled: false,
      reason: 'AppArmor is switched off: boot with lsm=…,apparmor, or apparmor=1 security=apparmor',
    }
  if (!(await exists(SECURITYFS)))
    return { enabled: false, reason: `securityfs is not mounted: mount -t securityfs none /sys/kernel/security` }
  return { enabled: true, mode: (await readTextIfPresent(`${PARAMETERS}/mode`))?.trim() }
}

/**
 * Whether profiles can be loaded and used.
 *
 * @param env - with `container` in it and not empty, as libcontainer of 2015 had it: no. Default: that is not asked
 */
export async function isEnabled({
  env = {},
}: {
  env?: Readonly<Record<string, string | undefined>>
} = {}): Promise<boolean> {
  return !env.container && (await status()).enabled
}

/** A profile that the kernel has, as this process's policy namespace sees it: those of namespaces in it have theirs. */
export interface LoadedProfile extends ProfileName {
  readonly mode: ProfileMode
}

/**
 * The profiles that are loaded; none where AppArmor is off.
 *
 * @throws {SyscallError} `EACCES` without CAP_MAC_ADMIN
 */
export async function listProfiles(): Promise<LoadedProfile[]> {
  try {
    return parseProfiles((await readTextIfPresent(`${SECURITYFS}/profiles`)) ?? '')
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
    throw new SyscallError((error as SyscallError).errno, 'openat', {
      path: `${SECURITYFS}/profiles`,
      hint: 'it needs CAP_MAC_ADMIN in the user namespace of the policy',
    })
  }
}

/** Lines such as `/usr/bin/man (enforce)` and `:ns://name (complain)`: a name may have spaces and brackets of its own. Pure. */
export function parseProfiles(text: string): LoadedProfile[] {
  return text.split('\n').flatMap(line => {
    const found = /^(.+) \(([a-z]+)\)$/.exec(line)
    return found === null ? [] : [{ ...parseProfileName(found[1]!), mode: found[2] as ProfileMode }]
  })
}
