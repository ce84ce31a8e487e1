import { isErrno, readTextIfPresent } from '@libcontainer/sys'

/** The names of this host's users by their uids; of two names the first counts. None of them where nobody tells. */
export async function userNames(): Promise<ReadonlyMap<number, string>> {
  const { parsePasswd } = await import('@libcontainer/user')
  const entries = parsePasswd((await passwd()) ?? '').toReversed()
  return new Map(entries.flatMap(({ uid, name }) => (uid === undefined ? [] : [[uid, name] as const])))
}

async function passwd(): Promise<string | undefined> {
  try {
    return await readTextIfPresent('/etc/passwd')
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined
    throw error
  }
}
