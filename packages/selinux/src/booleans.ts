import { ConfigInvalid, listDirectory, readTextIfPresent } from '@libcontainer/sys'
import { findSelinuxfs } from './selinuxfs.js'

/** A switch of the policy. */
export interface PolicyBoolean {
  readonly name: string
  /** In force. */
  readonly value: boolean
  /** Set, and in force when all that are pending are committed. */
  readonly pending: boolean
}

/** A boolean of the policy; `undefined` where it has none of this name, or SELinux is off. @see security_get_boolean_active(3) */
export async function getBoolean(name: string): Promise<PolicyBoolean | undefined> {
  if (typeof name !== 'string' || !/^\w+$/.test(name))
    throw new ConfigInvalid('name', name, 'must be the name of a boolean')
  const found = await findSelinuxfs()
  return found.reason === undefined ? await readBoolean(found.path, name) : undefined
}

/** All booleans of the policy; none where SELinux is off. @see getsebool(8) */
export async function listBooleans(): Promise<PolicyBoolean[]> {
  const found = await findSelinuxfs()
  if (found.reason !== undefined) return []
  const entries = await listDirectory(`${found.path}/booleans`)
  const names = entries.filter(({ type }) => type === 'file').map(({ name }) => name)
  const booleans = await Promise.all(names.sort().map(name => readBoolean(found.path, name)))
  return booleans.filter(one => one !== undefined)
}

async function readBoolean(path: string, name: string): Promise<PolicyBoolean | undefined> {
  const text = await readTextIfPresent(`${path}/booleans/${name}`)
  if (text === undefined) return undefined
  const [value, pending] = text.split(/[ \0\n]/)
  return { name, value: value === '1', pending: pending === '1' }
}
