import { startProgram } from '@libcontainer/sys'
import { ENVIRONMENT } from './connection.js'
import { askedOnce, type Criu, criuPath } from './place.js'

/**
 * Whether this CRIU locks the network by nftables on this kernel; asked once for each program. It does that itself, where for iptables it starts two
 * programs to lock and two to unlock, while all processes stand still.
 *
 * `false` of a CRIU before 3.17, and of a service, which cannot be asked.
 *
 * @throws {SyscallError} `ENOENT` where CRIU is not installed
 */
export async function offersNftables(criu: Criu = {}): Promise<boolean> {
  return criu.service === undefined && (await askNftables(criu))
}

/** CRIU's RPC has no word for it. An older CRIU knows no such feature, and ends with 1 as well. */
const askNftables = askedOnce(async criu => {
  const argv = [await criuPath(criu), 'check', '--feature', 'network_lock_nftables']
  const check = await startProgram({ steps: [] }, argv, { env: ENVIRONMENT, cwd: '/', stdio: 'null' })
  return (await check.wait()).code === 0
})
