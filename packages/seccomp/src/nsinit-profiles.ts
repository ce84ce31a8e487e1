import { ENOSYS } from './actions.js'
import { type Arch, companionsOf, ociArch } from './architectures.js'
import type { Profile, SyscallRule } from './profile.js'
import { nativeArch } from './support.js'

/** How much `nsinit --security` takes away. */
export type SecurityLevel = 'high' | 'medium' | 'low'

/* What the levels refuse: each act in all its forms, or a libc that uses the newer one would walk past. */
const ALWAYS =
  'unshare setns mount umount umount2 fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr mount_setattr ' +
  'create_module init_module finit_module delete_module kexec_load kexec_file_load'
const NAMES_AND_ROOT = 'chroot setdomainname sethostname'
const FILES =
  'capset chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 link linkat unlink unlinkat'

const REFUSED: Readonly<Record<SecurityLevel, readonly string[]>> = {
  high: [ALWAYS, NAMES_AND_ROOT, FILES],
  medium: [ALWAYS, NAMES_AND_ROOT],
  low: [ALWAYS],
}

const CLONE_NEWUSER = 0x10000000

/**
 * The profile of one of nsinit's security levels: everything is allowed but a list, which answers EPERM, and new user
 * namespaces.
 */
export function nsinitProfile(level: SecurityLevel, arch: Arch = nativeArch()): Profile {
  const refused = REFUSED[level].flatMap(names => names.split(' '))
  const index = arch === 's390x' || arch === 's390' ? 1 : 0
  const syscalls: SyscallRule[] = [
    { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 1,
      args: [{ index, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // Its flags lie in memory where no filter can look; without it libc uses clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ]
  const archs: Arch[] = [arch, ...companionsOf(arch), ...(arch === 'x86_64' ? ['x32' as const] : [])]
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: archs.map(ociArch), syscalls }
}
