import { atLeast, type Criu, CriuTooOld, version } from '@libcontainer/criu'
import { networkNamespace } from '../config/namespace-requests.js'
import type { ResolvedConfig } from '../config/resolve.js'
import type { CheckpointOptions } from './options.js'

/* What an older CRIU does without a word, and otherwise than a container needs it. */

/** Before it no_new_privs is neither in an image nor restored. */
const KEEPS_NO_NEW_PRIVS = '3.19'
/** Before it the lock is named by the pid that the first process has on the host, which is another at the restore: nobody unlocks. */
const UNLOCKS_NFTABLES = '4.1'

/** Tells of programs that can gain privileges by exec when they are restored, and could not before. */
export async function warnOfNoNewPrivileges(
  isSet: boolean | undefined,
  criu: Criu,
  warn: ((message: string) => void) | undefined,
): Promise<void> {
  if (!isSet || warn === undefined) return
  const found = await version(criu)
  if (!atLeast(found, KEEPS_NO_NEW_PRIVS))
    warn(
      `noNewPrivileges: CRIU ${found.text} does not bring it back, ${KEEPS_NO_NEW_PRIVS} does: what is restored may gain privileges by exec`,
    )
}

/** A network namespace of its own ends with the container, and its lock with it. @throws {CriuTooOld} */
export async function confirmUnlocks(
  { namespaces }: Pick<ResolvedConfig, 'namespaces'>,
  { networkLock, leaveRunning, preDump }: CheckpointOptions,
  criu: Criu,
): Promise<void> {
  if (networkLock !== 'nftables' || leaveRunning || preDump || networkNamespace(namespaces) === 'new') return
  const found = await version(criu)
  if (!atLeast(found, UNLOCKS_NFTABLES))
    throw new CriuTooOld(
      criu.path ?? 'criu',
      found.text,
      UNLOCKS_NFTABLES,
      "networkLock: 'nftables' of a network namespace that others have, too,",
    )
}
