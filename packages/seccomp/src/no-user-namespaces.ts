import { ENOSYS } from './actions.js'
import { type Arch, companionsOf, ociArch } from './architectures.js'
import type { Profile, SyscallRule } from './profile.js'
import { nativeArch } from './support.js'

const CLONE_NEWUSER = 0x10000000
const ENOSPC = 28

/**
 * A profile that allows everything but new user namespaces: to be loaded beside another, since of several filters the strictest holds. It answers
 * ENOSPC, as the kernel does where `user.max_user_namespaces` is 0.
 */
export function noUserNamespaces(arch: Arch = nativeArch()): Profile {
  const index = arch === 's390x' || arch === 's390' ? 1 : 0
  const refused = (name: string, index: number): SyscallRule => ({
    names: [name],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: ENOSPC,
    args: [{ index, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER, op: 'SCMP_CMP_MASKED_EQ' }],
  })
  const syscalls: SyscallRule[] = [
    refused('unshare', 0),
    refused('clone', index),
    // Its flags lie in memory where no filter can look; without it libc uses clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ]
  const archs: Arch[] = [arch, ...companionsOf(arch), ...(arch === 'x86_64' ? ['x32' as const] : [])]
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: archs.map(ociArch), syscalls }
}
