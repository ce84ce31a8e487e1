import { ConfigInvalid, LibcontainerError, readTextIfPresent } from '@libcontainer/sys'
import { canonicalizeContext } from './checks.js'
import { formatContext, parseContext } from './context.js'
import { policyRoot } from './status.js'

/** Who an ordinary user is to SELinux. */
export interface SelinuxUser {
  readonly user: string
  /** The range that logins of his have; none where the policy has none. */
  readonly level: string | undefined
}

export interface SelinuxUserOptions {
  /** Names of the groups that the user is in: the file may have `%group`. Default: none. */
  readonly groups?: readonly string[] | undefined
  /** Default: `seusers` of the policy that is installed. */
  readonly path?: string | undefined
}

/**
 * Who an ordinary user is to SELinux: the line of his name in `seusers`, else that of one of his groups, else that of everybody.
 *
 * @throws {LibcontainerError} `NoSelinuxUser` where the file says nothing of him, or is not there
 * @see getseuserbyname(3)
 */
export async function seUserByName(name: string, { groups = [], path }: SelinuxUserOptions = {}): Promise<SelinuxUser> {
  const file = path ?? `${await installedPolicy()}/seusers`
  const found = parseSeusers((await readTextIfPresent(file)) ?? '', name, groups)
  if (found === undefined)
    throw new LibcontainerError('NoSelinuxUser', `${file} has no line for ${name}, and none for everybody`)
  return found
}

/** As {@link seUserByName}, of the file's text. Pure. @throws {ConfigInvalid} for a line that is none */
export function parseSeusers(text: string, name: string, groups: readonly string[] = []): SelinuxUser | undefined {
  const found = new Map<string, SelinuxUser>()
  text.split('\n').forEach((line, i) => {
    const bare = line.trim()
    if (bare === '' || bare.startsWith('#')) return
    const [who, user, ...level] = bare.split(':')
    if (!who || !user) throw new ConfigInvalid(`seusers line ${i + 1}`, line, 'must be name:user or name:user:level')
    if (!found.has(who)) found.set(who, { user, level: level.length === 0 ? undefined : level.join(':') })
  })
  const keys = [name, ...groups.map(group => `%${group}`), '__default__']
  return keys.map(key => found.get(key)).find(one => one !== undefined)
}

/**
 * The context that a login begins with: the first that the policy's files name for this user, and that the policy in force knows.
 *
 * @param user - SELinux's own
 * @param level - of the context; none where the policy has none
 * @param from - the context of who logs him in
 * @throws {LibcontainerError} `NoDefaultContext` where the files name none; `SelinuxOff`
 * @see get_default_context_with_level(3)
 */
export async function defaultContextWithLevel(user: string, level: string | undefined, from: string): Promise<string> {
  const folder = `${await installedPolicy()}/contexts`
  if (!/^[\w.-]+$/.test(user)) throw new ConfigInvalid('user', user, 'must be the name of a user of SELinux')
  for (const path of [`${folder}/users/${user}`, `${folder}/default_contexts`]) {
    for (const context of defaultContexts((await readTextIfPresent(path)) ?? '', { user, level, from })) {
      try {
        return await canonicalizeContext(context)
      } catch (error) {
        // What the policy does not let this user have is passed over.
        if (!(error instanceof ConfigInvalid)) throw error
      }
    }
  }
  throw new LibcontainerError(
    'NoDefaultContext',
    `${folder} has no context for ${user} from ${from} that the policy knows`,
  )
}

/** The contexts that a file such as `default_contexts` has for who comes from a context, in its order. Pure. */
export function defaultContexts(
  text: string,
  { user, level, from }: { readonly user: string; readonly level?: string | undefined; readonly from: string },
): string[] {
  const { role, type } = parseContext(from, 'from')
  return text.split('\n').flatMap(line => {
    const [source = '', ...targets] = line.trim().split(/\s+/)
    const [fromRole, fromType] = source.split(':')
    if (source.startsWith('#') || fromRole !== role || fromType !== type) return []
    return targets.flatMap(target => {
      const [role, type] = target.split(':')
      return role && type ? [formatContext({ user, role, type, level })] : []
    })
  })
}

async function installedPolicy(): Promise<string> {
  const root = await policyRoot()
  if (root === undefined)
    throw new LibcontainerError(
      'SelinuxOff',
      'no policy of SELinux is installed: /etc/selinux/config names none that is there',
    )
  return root
}
