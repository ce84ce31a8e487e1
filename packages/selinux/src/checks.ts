import { ConfigInvalid, isErrno, readTextIfPresent } from '@libcontainer/sys'
import { formatContext, parseContext } from './context.js'
import { selinuxfs, transact } from './selinuxfs.js'

const UNKNOWN =
  'the policy has no such user, role, type or level, or does not put them together: seinfo(1) lists what it has'

/**
 * A context as the policy writes it: categories in order, aliases replaced.
 *
 * @throws {ConfigInvalid} for what the policy does not know
 * @throws {LibcontainerError} `SelinuxOff`
 * @see security_canonicalize_context(3)
 */
export async function canonicalizeContext(context: string, field = 'label'): Promise<string> {
  parseContext(context, field)
  try {
    return await transact('context', context, {})
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error
    throw new ConfigInvalid(field, context, 'is no context of the policy in force', { hint: UNKNOWN, cause: error })
  }
}

/** Makes sure that the policy knows a context. Throws as {@link canonicalizeContext}. @see security_check_context(3) */
export async function checkContext(context: string, field = 'label'): Promise<void> {
  await canonicalizeContext(context, field)
}

/**
 * The label that something new gets.
 *
 * @param source - the context of who makes it
 * @param target - the context of what it is made in
 * @param objectClass - what it is: `process`, `file`, `dir`, …
 * @throws {ConfigInvalid} for a class, or a context, that the policy does not know
 * @throws {LibcontainerError} `SelinuxOff`
 * @see security_compute_create(3)
 */
export async function computeCreateContext(source: string, target: string, objectClass: string): Promise<string> {
  parseContext(source, 'source')
  parseContext(target, 'target')
  if (!/^\w+$/.test(objectClass)) throw new ConfigInvalid('objectClass', objectClass, 'must be the name of a class')
  const index = await readTextIfPresent(`${await selinuxfs()}/class/${objectClass}/index`)
  if (index === undefined)
    throw new ConfigInvalid('objectClass', objectClass, 'is no class of the policy: selinuxfs lists them in class')
  try {
    return await transact('create', `${source} ${target} ${index}`, {})
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error
    const problem = `or target ${target} is no context of the policy in force`
    throw new ConfigInvalid('source', source, problem, { hint: UNKNOWN, cause: error })
  }
}

/**
 * A context with the level of another, both of which the policy must know.
 *
 * @param source - whose level it gets; with an empty one there is nothing to do, and the answer is empty
 */
export async function copyLevel(source: string, target: string): Promise<string> {
  if (source === '') return ''
  await Promise.all([checkContext(source, 'source'), checkContext(target, 'target')])
  return formatContext({ ...parseContext(target), level: parseContext(source).level })
}
